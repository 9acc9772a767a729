"""The network: what every network offers (`interface`), ours (`experts`), and ours as a transformers model.

In: token ids.  Out: logits and hidden states of each expert.  May import: PyTorch; transformers only in
`transformers_model`.  Knows no tokens, pictures or files.
"""
