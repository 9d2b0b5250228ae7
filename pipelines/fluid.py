"""The same as `socialmd fluid`."""

from socialmd.commands.main import main

if __name__ == "__main__":
    main("fluid")
