"""Set-up for all tests; lying here, it also makes the helpers beside it importable from each of them."""

import os

from hypothesis import settings

# Shared, busy machines miss deadlines without any fault of the code; what has to be fast is measured in bench/.
settings.register_profile("here", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "here")
