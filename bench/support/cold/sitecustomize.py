"""Has an import of Dask take COLD_SECONDS longer without a CPU, as on a parallel filesystem under load: once in each Python."""
import os
import sys


class Cold:
    def find_spec(self, name, path=None, target=None):
        if name == "distributed":
            import time

            sys.meta_path.remove(self)
            time.sleep(float(os.environ["COLD_SECONDS"]))
        return None


if float(os.environ.get("COLD_SECONDS", 0)) > 0:
    sys.meta_path.insert(0, Cold())
