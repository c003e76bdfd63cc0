"""Models: each family is one class behind `family.Family`; each fitted model is one torch body that exports whole."""
