"""The sentences of the exercise, in both languages."""

from hf_llm.experiments.result import Words

TITLE = Words(
    pt="O exercício: o que o dropout faz com uma rede Linear + ReLU",
    en="The exercise: what dropout does to a Linear + ReLU net",
)
INTRODUCTION = Words(
    pt="""A cada passo do treino, o dropout zera ao acaso uma parte *p* dos neurônios ocultos e aumenta os outros na
mesma proporção; na avaliação, todos trabalham. A rede não pode contar com nenhum neurônio em particular, e decorar
exemplos fica mais difícil.

A mesma rede treina sem dropout e com vários valores de *p*, com todas as imagens e com poucas. Olhe primeiro as
curvas: sem dropout a perda de treino vai a quase nada enquanto a de validação volta a subir, e a distância entre as
duas é o sobreajuste. Depois olhe o que mais importa, a acurácia no teste, com o seu intervalo: uma distância menor
entre as curvas não é ainda um acerto a mais.""",
    en="""At every training step dropout zeroes a random share *p* of the hidden units and scales the others up in
proportion; in evaluation all of them work. The net cannot count on any unit in particular, which makes it harder to
learn examples by heart.

The same net trains without dropout and with several values of *p*, on all images and on few. Look at the curves
first: without dropout the training loss goes to almost nothing while the validation loss turns and rises, and the
distance between the two is over-fitting. Then look at what matters more, the test accuracy with its interval: a
smaller distance between the curves is not yet one more right answer.""",
)
SIZES = {
    "few": Words(pt="com poucas imagens", en="with few images"),
    "some": Words(pt="com uma parte das imagens", en="with some of the images"),
    "all": Words(pt="com todas as imagens", en="with all images"),
}
HEADINGS = {
    "size": Words(pt="dados", en="data"),
    "images": Words(pt="imagens", en="images"),
    "dropout": Words(pt="p", en="p"),
    "train_loss": Words(pt="perda, treino", en="loss, training"),
    "validation_loss": Words(pt="perda, validação", en="loss, validation"),
    "gap": Words(pt="distância", en="gap"),
    "train_accuracy": Words(pt="acurácia, treino", en="accuracy, training"),
    "validation_accuracy": Words(pt="acurácia, validação", en="accuracy, validation"),
    "test_accuracy": Words(pt="acurácia, teste", en="accuracy, test"),
    "test_accuracy_low": Words(pt="de", en="from"),
    "test_accuracy_high": Words(pt="a", en="to"),
    "gain": Words(pt="ganho", en="gain"),
    "gain_low": Words(pt="de", en="from"),
    "gain_high": Words(pt="a", en="to"),
}
CAVEATS = [
    Words(
        pt="Uma arquitetura, um otimizador, uma taxa de aprendizado: outra escolha pode precisar de outro *p*.",
        en="One architecture, one optimizer, one learning rate: another choice may need another *p*.",
    ),
    Words(
        pt="Todas as redes treinam o mesmo número de passos; redes com muito dropout aprendem mais devagar e ganhariam "
        "com um treino mais longo.",
        en="All nets train for the same number of steps; nets with much dropout learn more slowly and would gain from "
        "a longer training.",
    ),
    Words(
        pt="Os intervalos (t de Student) falam da variação entre sementes, não da escolha das imagens de teste, "
        "que são sempre as mesmas.",
        en="The intervals (Student's t) speak of the spread between seeds, not of the choice of test images, which "
        "are always the same.",
    ),
    Words(
        pt="As perguntas são várias: entre muitos intervalos de confiança, um ou outro engana por acaso.",
        en="There are several questions: among many confidence intervals one or the other misleads by chance.",
    ),
]


def curve_headings() -> dict[str, Words]:
    """Return the headings of the curves; bounds are in the data and not shown."""
    return {name: HEADINGS[name] for name in ("size", "dropout")} | {
        "step": Words(pt="passo", en="step"),
        **{name: HEADINGS[name] for name in ("train_loss", "validation_loss", "train_accuracy", "validation_accuracy")},
    }


def claims() -> dict[str, tuple[Words, Words]]:
    """Return {claim: (sentence after "with few images, …", what is measured)}."""
    points = Words(
        pt="acurácia no teste, diferença em pontos percentuais, pareada",
        en="test accuracy, difference in percentage points, paired",
    )
    return {
        "gap": (
            Words(
                pt="o dropout de metade dos neurônios aproxima as perdas de treino e de validação",
                en="dropping half of the units brings training and validation loss closer",
            ),
            Words(pt="redução da distância, nats por imagem", en="decrease of the gap, nats an image"),
        ),
        "gain": (
            Words(
                pt="o dropout escolhido pela validação acerta mais no teste do que nenhum",
                en="the dropout that validation picks gets more of the test right than none",
            ),
            points,
        ),
        "rise": (
            Words(
                pt="o dropout de metade dos neurônios impede que a perda de validação volte a subir tanto",
                en="dropping half of the units keeps the validation loss from rising as much again",
            ),
            Words(
                pt="subida desde o mínimo, quanto menor que sem dropout, nats por imagem",
                en="rise from the minimum, how much smaller than without dropout, nats an image",
            ),
        ),
        "too_much": (
            Words(
                pt="o maior dropout da grade acerta menos do que o escolhido",
                en="the largest dropout of the grid gets fewer right than the one picked",
            ),
            points,
        ),
        "fewer": (
            Words(
                pt="Quanto menos imagens, mais o dropout de metade dos neurônios ajuda",
                en="The fewer the images, the more dropping half of the units helps",
            ),
            Words(
                pt="ganho com poucas imagens menos ganho com todas, pontos percentuais",
                en="gain with few images minus gain with all, percentage points",
            ),
        ),
    }
