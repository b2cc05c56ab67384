"""The glossary finds what it forbids, and leaves the same words alone in their other senses."""

import pytest
from glossary import FORBIDDEN, violations

WRONG = {
    "pt-BR": [
        "o sobreajuste aparece", "uma rede funda", "redes mais fundas", "os compromissos", "como reduzi-las",
        "as junções do tokenizador", "no lugar {position}, lugar {n}", "o lugar do token", "cada lugar da imagem",
        "uma parte dos neurônios", "uma parte p dos números", "parte dos valores internos", "sem atalhos", "o shortcut",
        "SGD com momento", "um sigmoid", "o MLP", "do ReLU", "num LSTM", "pela GPT-2", "da GPT-2", "pesos sorteados",
        "pesos habituais", "Aperte Treinar", "com estes ajustes", "cada ajuste", "Endereço com as configurações",
        "criar endereço", "O que a página chamou", "um texto de parada", "acerta mais do que a outra",
        "não dá para dizer", "um erro com uma frase",
    ],
    "en": [
        "over-fitting", "without shortcuts", "the first weights", "weights as drawn", "What the page called",
        "In the training's own words", "In its own words", "it gets more right than", "gets far more right",
        "cannot be told", "what was found", "to make it again", "nats a token", "tokens a second", "bits a byte",
        "the gradient by the logits", "the likeness of two vectors", "the barest loop", "nothing that can be told",
        "the user meets a sentence", "each room of the code",
    ],
}  # fmt: skip
RIGHT = {
    "pt-BR": [
        "overfitting (sobreajuste)", "o fundo do vale", "no fundo, é simples", "em lugar nenhum", "mal sai do lugar",
        "ponha o arquivo em um desses lugares", "a maior parte dos parâmetros", "faz parte do modelo",
        "nesse momento", "o primeiro momento do gradiente", "a sigmoide", "`torch.sigmoid`", "a MLP", "da ReLU",
        "o GPT-2", "no GPT-2", "o ajuste fino", "o modelo ajustado", "os ids são só endereços",
        "o endereço de um Space", "comparado a um GPT-2", "pesos iniciais", "sequência de parada",
    ],
    "en": [
        "overfitting", "a keyboard shortcut", "initial weights", "per token", "a byte is a token",
        "a memorised sentence",
        "no room for it", "a token a model has not seen", "two images a class",
    ],
}  # fmt: skip


@pytest.mark.parametrize(("lang", "text"), [(lang, text) for lang, texts in WRONG.items() for text in texts])
def test_what_is_forbidden_is_found(lang, text):
    assert violations(text, lang)


@pytest.mark.parametrize(("lang", "text"), [(lang, text) for lang, texts in RIGHT.items() for text in texts])
def test_the_same_word_in_another_sense_is_not(lang, text):
    assert violations(text, lang) == []


@pytest.mark.parametrize("lang", FORBIDDEN)
def test_every_rule_finds_something(lang):
    assert all(any(rule.pattern.search(text) for text in WRONG[lang]) for rule in FORBIDDEN[lang])
