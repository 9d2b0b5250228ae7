"""The same as `socialmd export`."""

from socialmd.commands.main import main

if __name__ == "__main__":
    main("export")
