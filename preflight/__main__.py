"""`python -m preflight`, and the command `preflight`."""

from preflight.interrupts import install


def main() -> None:
    """Hears signals from the first moment on: loading the rest takes longer than anything before it."""
    install()
    from preflight.cli import main as run

    run()


if __name__ == "__main__":
    main()
