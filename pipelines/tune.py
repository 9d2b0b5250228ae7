"""The same as `socialmd tune`."""

from socialmd.commands.main import main

if __name__ == "__main__":
    main("tune")
