"""The same as `socialmd evaluate`."""

from socialmd.commands.main import main

if __name__ == "__main__":
    main("evaluate")
