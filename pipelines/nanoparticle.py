"""The same as `socialmd nanoparticle`."""

from socialmd.commands.main import main

if __name__ == "__main__":
    main("nanoparticle")
