"""The same as `socialmd simulate`."""

from socialmd.commands.main import main

if __name__ == "__main__":
    main("simulate")
