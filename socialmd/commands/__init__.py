"""Commands: `socialmd NAME`, and scripts of the same names in `pipelines/` of the repository."""
