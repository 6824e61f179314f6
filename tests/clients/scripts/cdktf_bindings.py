"""`imports.aws`: what `cdktf get` would generate from the provider, as it comes prebuilt.

The prebuilt package imports each of its 2,000 modules when it is imported, which takes a minute; an
empty one in its place leaves the modules that a stack names.
"""

import importlib.util
import sys
import types

PREBUILT = "cdktf_cdktf_provider_aws"

package = types.ModuleType(PREBUILT)
package.__path__ = importlib.util.find_spec(PREBUILT).submodule_search_locations
sys.modules[PREBUILT] = package
