"""Inspect: is this a data set, what is to be learned from it, where, and for how much?"""
