"""The functions of the pipeline, from a dropped data set to a promoted model."""
