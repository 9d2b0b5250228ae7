"""The same as `socialmd preprocess`."""

from socialmd.commands.main import main

if __name__ == "__main__":
    main("preprocess")
