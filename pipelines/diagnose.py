"""The same as `socialmd diagnose`."""

from socialmd.commands.main import main

if __name__ == "__main__":
    main("diagnose")
