"""The same as `socialmd circle`."""

from socialmd.commands.main import main

if __name__ == "__main__":
    main("circle")
