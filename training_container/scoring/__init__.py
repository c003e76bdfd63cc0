"""Honest scores: intervals, groups, fairness, calibration, importances and notes, from truth and answers alone."""
