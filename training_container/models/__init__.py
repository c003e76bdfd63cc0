"""Models: each family is one class behind `family.Family`; each fitted model is one predictor that exports whole."""

import torch  # noqa: F401  # before LightGBM, which finds torch's OpenMP where the system has none
