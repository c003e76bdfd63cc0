"""Image: has CodeBuild build a training image that the repository lacks."""
