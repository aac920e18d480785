"""`python -m tests.released` brings the fixture of the version at hand up to date."""

from tests.released.fixtures import main

main()
