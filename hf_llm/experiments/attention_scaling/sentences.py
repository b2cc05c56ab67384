"""Portuguese sentences after the lecture's "o gato que estava no quarto do apartamento 3 foi encontrado…".

    na casa da vizinha , o gato que estava no quarto dos alunos da rua foi encontrado .
    opening              subject            two words and a noun each        auxiliary and participle agree with "gato"

A sentence has any number of distractors, nouns with a gender and a number of their own between subject and verb. What
the subject is, only its bare article tells: the opening has nouns too, people stand in all places, and the last noun
before the verb says nothing. So a model is right for the right reason, or at chance.

>>> " ".join(Sentence.draw(np.random.default_rng(2), distractors=2).words)
'as gatas que estavam no menino dos jardins foram procuradas .'
"""

from dataclasses import dataclass
from itertools import product

import numpy as np

Form = tuple[str, str]  # gender "m" or "f", number "s" or "p"
FORMS: list[Form] = list(product("mf", "sp"))
# lemma: its masculine singular and plural, feminine singular and plural; a place has one gender
PEOPLE = [
    ("gato", "gatos", "gata", "gatas"), ("aluno", "alunos", "aluna", "alunas"),
    ("vizinho", "vizinhos", "vizinha", "vizinhas"), ("médico", "médicos", "médica", "médicas"),
    ("primo", "primos", "prima", "primas"), ("menino", "meninos", "menina", "meninas"),
    ("cachorro", "cachorros", "cachorra", "cachorras"), ("professor", "professores", "professora", "professoras"),
]  # fmt: skip
PLACES = {
    "m": [("quarto", "quartos"), ("apartamento", "apartamentos"), ("prédio", "prédios"), ("jardim", "jardins"),
          ("hotel", "hotéis"), ("bairro", "bairros")],
    "f": [("casa", "casas"), ("sala", "salas"), ("rua", "ruas"), ("praça", "praças"), ("escola", "escolas"),
          ("cidade", "cidades")],
}  # fmt: skip
PARTICIPLES = [tuple(f"{stem}{ending}" for ending in ("o", "os", "a", "as"))
               for stem in ("encontrad", "procurad", "chamad", "ouvid")]  # fmt: skip
ARTICLE = dict(zip(FORMS, ("o", "os", "a", "as")))
IN = {form: f"n{article}" for form, article in ARTICLE.items()}
OF = {form: f"d{article}" for form, article in ARTICLE.items()}
WAS, HAS_BEEN = {"s": "estava", "p": "estavam"}, {"s": "foi", "p": "foram"}

NOUNS: dict[Form, list[str]] = {
    (gender, number): [lemma[place] for lemma in PEOPLE] + [pair["sp".index(number)] for pair in PLACES[gender]]
    for place, (gender, number) in enumerate(FORMS)
}
WORDS = sorted(
    {".", ",", "que", *ARTICLE.values(), *IN.values(), *OF.values(), *WAS.values(), *HAS_BEEN.values()}
    | {word for forms in [*PARTICIPLES, *NOUNS.values()] for word in forms}
)
IDS = {word: id for id, word in enumerate(WORDS)}


@dataclass(frozen=True)
class Sentence:
    """A sentence, and what its verb has to agree with."""

    words: list[str]
    subject: Form
    nearest: Form  # of the last noun before the verb
    first: Form  # of the first noun of the sentence
    between: int  # words between subject and auxiliary
    participle: tuple[str, ...]  # the forms to choose from, in the order of `FORMS`

    @classmethod
    def draw(cls, random: np.random.Generator, distractors: int, misleading: bool = False) -> "Sentence":
        """Draw a sentence; `misleading` ones end in a distractor of another gender or number, or of both."""

        def draw_form() -> Form:
            return FORMS[random.integers(4)]

        def phrases(forms: list[Form]) -> list[str]:  # "no quarto da aluna dos vizinhos"
            return [word for place, form in enumerate(forms)
                    for word in ((OF if place else IN)[form], str(random.choice(NOUNS[form])))]  # fmt: skip

        subject, opening = draw_form(), [draw_form() for _ in range(random.integers(3))]
        forms = [draw_form() for _ in range(distractors)]
        while misleading and forms and forms[-1] == subject:
            forms[-1] = draw_form()
        clause = ["que", WAS[subject[1]], *phrases(forms)] if forms else []
        participle = PARTICIPLES[random.integers(len(PARTICIPLES))]
        person = PEOPLE[random.integers(len(PEOPLE))][FORMS.index(subject)]
        words = [
            *phrases(opening), *([","] if opening else []), ARTICLE[subject], person, *clause,
            HAS_BEEN[subject[1]], participle[FORMS.index(subject)], ".",
        ]  # fmt: skip
        return cls(words, subject, [subject, *forms][-1], [*opening, subject][0], len(clause), participle)

    @property
    def ids(self) -> list[int]:
        return [IDS[word] for word in self.words]
