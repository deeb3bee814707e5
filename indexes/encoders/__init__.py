"""Encoders: text comes in, unit vectors in one space go out. ``base`` holds the contract that all of them keep."""
