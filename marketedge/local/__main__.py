"""`python -m marketedge.local` starts MarketEdge here, with everything that it needs."""

import sys

from marketedge.local.run import main

sys.exit(main())
