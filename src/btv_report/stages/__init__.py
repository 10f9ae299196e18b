"""The stages of one run, each called once by pipeline.py."""
