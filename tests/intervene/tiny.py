"""A tiny engine with seeded random weights over drawn pictures: all that the instruments need, in a second."""

import torch

from app.checkpoint.bundle import Bundle
from app.engine.engine import Engine
from app.network.experts import StackedExperts
from app.network.interface import Shape
from app.substrate.embedding import embed, fit_basis
from app.substrate.glyphs import Substrate
from app.substrate.pictures import draw_pictures
from app.substrate.vocabulary import build_tokenizer, mini_vocabulary

CHARACTERS = sorted(set(" abcdefghijklmnopqrstuvwxyz.абвгдежзиклмнопрстуфхцчшщъыьэюя我你他喝开了一杯些水茶猫狗"))
GRAMS = ["ca", "cat", " cat", "do", "dog", " dog", "th", "the", " the", "ка", "我你"]


def tiny_network(vocabulary: int, width: int = 32) -> StackedExperts:
    """Two experts of three blocks, with weights large enough to tell positions apart."""
    model = StackedExperts(Shape(vocabulary=vocabulary, width=width, layers=3, heads=4, experts=2, context=48))
    model.initialise(torch.Generator().manual_seed(0))
    for weight in model.parameters():
        weight.data.mul_(16)
    return model.requires_grad_(False).eval()


def tiny_engine() -> Engine:
    vocabulary = mini_vocabulary(CHARACTERS, GRAMS)
    pictures = draw_pictures(vocabulary.tokens, "legible")
    basis = fit_basis(pictures, 32)
    model = tiny_network(len(vocabulary.tokens))
    model.embedding.copy_(torch.from_numpy(embed(pictures, basis)))
    substrate = Substrate(vocabulary.tokens, pictures, model.embedding.numpy(), basis, "legible")
    tokenizer = build_tokenizer(vocabulary, spaced_words=True)
    return Engine(Bundle("tiny", "tiny", model, tokenizer, substrate, ("RU", "ZH"), 2, {}))
