"""Speed of the demo on this machine beside its peers and its limits: `python -m tests.bench`.  One table.

Everything runs on the bundled model; run it on an otherwise idle machine.  Peers run on the same weights:
"ours in transformers" is our network behind transformers' `generate`, "two stock models" are transformers'
own GPT-NeoX twice, one after the other (see `tests.bench.peers`).
"""

from app.system.environment import set_defaults

set_defaults()  # as the server does, before torch is imported
