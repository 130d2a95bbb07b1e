"""`python -m workstation`: the same as the command `workstation`."""

from workstation.cli.main import main

if __name__ == "__main__":
    main()
