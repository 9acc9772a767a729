"""Speed of the demo on this machine beside its peers and its limits: `python -m tests.bench`.  One table.

Everything runs on the bundled model; run it on an otherwise idle machine.  Peers run on the same weights:
"ours in transformers" is our network behind transformers' `generate`, "two stock models" are transformers'
own GPT-NeoX twice, one after the other (see `tests.bench.peers`).  Parts of the table are asked for by name, and a
bundle of another commit is decoded beside ours, by turns:

    git archive COMMIT assets/mini | tar -x -C /tmp
    python -m tests.bench crowded browser --beside /tmp/assets/mini
"""

from app.system.environment import set_defaults

set_defaults()  # as the server does, before torch is imported
