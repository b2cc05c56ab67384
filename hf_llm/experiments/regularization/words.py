"""The sentences of the lab `regularization`, in both languages."""

from hf_llm.experiments.result import Words

TITLE = Words(
    pt="Regularização: dropout, L2, batch norm e early stopping, sozinhos e juntos",
    en="Regularisation: dropout, L2, batch norm and early stopping, alone and together",
)
INTRODUCTION = Words(
    pt="""Uma rede com muito mais pesos do que exemplos pode decorar o treino. A aula mostra quatro remédios, e cada um
é conferido aqui primeiro pelo que diz fazer, numa camada só, e depois pelo que consegue:

- **dropout** zera neurônios ao acaso e amplia os que restam;
- **L2** soma λ‖w‖² à perda, e com isso puxa os pesos para zero;
- **batch norm** normaliza a saída de cada camada sobre o mini-batch;
- **early stopping** para quando a perda de validação piora e fica com os melhores pesos vistos.

Ao lado do L2 treina também o decaimento *desacoplado* do AdamW, que muita gente chama pelo mesmo nome.

A mesma rede treina com cada um, com todos juntos e sem nenhum, com poucas imagens e com todas. A intensidade de cada
regularizador foi escolhida antes, pela perda de validação, com uma semente que não entra na comparação. Olhe primeiro
as curvas: onde a perda de treino some e a de validação volta a subir, há sobreajuste. Depois separe três perguntas que
costumam se confundir: a *distância* entre treino e validação diminuiu? A *perda* no teste diminuiu? A rede *acerta*
mais?""",
    en="""A net with far more weights than examples can learn the training set by heart. The lecture shows four
remedies. Each is first checked here for what it says it does, on a single layer, and then for what it achieves:

- **dropout** zeroes units at random and scales up those that remain;
- **L2** adds λ‖w‖² to the loss, which pulls the weights towards zero;
- **batch norm** normalises each layer's output over the mini-batch;
- **early stopping** stops when the validation loss gets worse, and keeps the best weights it saw.

Beside L2, the *decoupled* decay of AdamW is trained too, which many people call by the same name.

The same net trains with each of them, with all of them and with none, on few images and on all. Each strength was
picked beforehand, by validation loss, with a seed that has no part in the comparison. Look at the curves first: where
the training loss vanishes while the validation loss rises again, the net over-fits. Then keep three questions apart
that are easily confused: has the *gap* between training and validation closed? Has the test *loss* gone down? Does the
net get more images *right*?""",
)
SIZES = {
    "few": Words(pt="com poucas imagens", en="with few images"),
    "all": Words(pt="com todas as imagens", en="with all images"),
}
NAMES = {
    "dropout": Words(pt="dropout", en="dropout"),
    "l2": Words(pt="L2", en="L2"),
    "decoupled": Words(pt="decaimento desacoplado", en="decoupled decay"),
    "batch_norm": Words(pt="batch norm", en="batch norm"),
    "early_stopping": Words(pt="early stopping", en="early stopping"),
}
NONE = Words(pt="nenhum", en="none")
ALL_TOGETHER = Words(pt="os quatro juntos", en="all four together")
STRENGTH = {
    "dropout": Words(pt="probabilidade p", en="probability p"),
    "l2": Words(pt="λ", en="λ"),
    "decoupled": Words(pt="decaimento do AdamW", en="AdamW's decay"),
}
HEADINGS = {
    "size_name": Words(pt="dados", en="data"),
    "images": Words(pt="imagens", en="images"),
    "name": Words(pt="regularizador", en="regulariser"),
    "what": Words(pt="o que se ajusta", en="what is set"),
    "strength": Words(pt="intensidade", en="strength"),
    "picked": Words(pt="escolhida?", en="picked?"),
    "step": Words(pt="passo", en="step"),
    "kept_step": Words(pt="passo dos pesos usados", en="step of the weights used"),
    "train_loss": Words(pt="perda, treino", en="loss, training"),
    "validation_loss": Words(pt="perda, validação", en="loss, validation"),
    "gap": Words(pt="distância", en="gap"),
    "train_accuracy": Words(pt="acurácia, treino", en="accuracy, training"),
    "validation_accuracy": Words(pt="acurácia, validação", en="accuracy, validation"),
    "test_loss": Words(pt="perda, teste", en="loss, test"),
    "test_accuracy": Words(pt="acurácia, teste", en="accuracy, test"),
    "test_accuracy_low": Words(pt="de", en="from"),
    "test_accuracy_high": Words(pt="a", en="to"),
    "gain": Words(pt="ganho, pontos percentuais", en="gain, percentage points"),
    "gain_low": Words(pt="de", en="from"),
    "gain_high": Words(pt="a", en="to"),
    "seed": Words(pt="semente", en="seed"),
    "stopped_step": Words(pt="parou no passo", en="stopped at step"),
    "last_step": Words(pt="passo final dos outros", en="last step of the others"),
    "saved": Words(pt="passos poupados, % do total", en="steps saved, % of all"),
    "accuracy_won": Words(pt="acurácia ganha, pontos percentuais", en="accuracy won, percentage points"),
    "loss_won": Words(pt="perda evitada, nats por imagem", en="loss avoided, nats an image"),
    "unit": Words(pt="neurônio", en="unit"),
    "before": Words(pt="antes", en="before"),
    "training": Words(pt="depois, no treino", en="after, in training"),
    "evaluation": Words(pt="depois, na avaliação", en="after, in evaluation"),
    "before_mean": Words(pt="média antes", en="mean before"),
    "before_deviation": Words(pt="desvio antes", en="deviation before"),
    "after_mean": Words(pt="média depois", en="mean after"),
    "after_deviation": Words(pt="desvio depois", en="deviation after"),
}
CAPTIONS = {
    "strengths": Words(
        pt="A escolha das intensidades, pela perda de validação, com uma semente à parte",
        en="How the strengths were picked, by validation loss, with a seed of its own",
    ),
    "summary": Words(
        pt="No fim do treino (com early stopping: nos melhores pesos), média das sementes; “distância” é a perda de "
        "validação menos a de treino, “ganho” é a acurácia no teste menos a da rede sem regularizador, pareada pela "
        "semente",
        en="At the end of training (with early stopping: at the best weights), mean over the seeds; “gap” is the "
        "validation loss minus the training loss, “gain” is the test accuracy minus that of the net without any "
        "regulariser, paired by the seed",
    ),
    "stopping": Words(
        pt="Early stopping, semente a semente, comparado com a mesma rede treinada até o fim",
        en="Early stopping, seed by seed, compared with the same net trained to the end",
    ),
    "curves": Words(
        pt="As curvas: média das sementes; os dados trazem também o menor e o maior valor",
        en="The curves: mean over the seeds; the data hold the least and the greatest value, too",
    ),
    "dropout_layer": Words(
        pt="Alguns neurônios de uma camada, antes e depois do dropout",
        en="Some units of a layer before and after dropout",
    ),
    "batch_norm_layer": Words(
        pt="Alguns neurônios da primeira camada oculta sobre um mini-batch, antes e depois do batch norm",
        en="Some units of the first hidden layer over one mini-batch, before and after batch norm",
    ),
}
CHARTS = {
    "layers": Words(
        pt="À esquerda, uma camada antes e depois do dropout: alguns neurônios ficam em zero, os outros crescem todos "
        "na mesma proporção. À direita, média e desvio de alguns neurônios sobre um mini-batch, antes e depois do "
        "batch norm",
        en="On the left, a layer before and after dropout: some units go to zero, the others all grow by the same "
        "factor. On the right, mean and deviation of some units over a mini-batch, before and after batch norm",
    ),
    "curves": Words(
        pt="Perda de treino, perda de validação e acurácia de validação por passo; a faixa vai da menor à maior "
        "semente. Os círculos marcam os pesos com que o early stopping, que segue a curva de “nenhum”, fica em cada "
        "semente",
        en="Training loss, validation loss and validation accuracy by step; bands reach from the lowest to the highest "
        "seed. Circles mark the weights that early stopping, which follows the curve of “none”, keeps with each seed",
    ),
    "effects": Words(
        pt="Distância entre as perdas, acurácia no teste, e ganho de acurácia sobre a rede sem regularizador, com "
        "intervalos de confiança; o ganho é pareado pela semente, e por isso o seu intervalo é outro",
        en="Gap between the losses, test accuracy, and gain in accuracy over the net without any regulariser, with "
        "confidence intervals; the gain is paired by the seed, so its interval is another one",
    ),
}
AXES = {
    "step": Words(pt="passo", en="step"),
    "train_loss": Words(pt="perda de treino (nats por imagem)", en="training loss (nats an image)"),
    "validation_loss": Words(pt="perda de validação (nats por imagem)", en="validation loss (nats an image)"),
    "validation_accuracy": Words(pt="acurácia de validação", en="validation accuracy"),
    "gap": Words(pt="distância (nats por imagem)", en="gap (nats an image)"),
    "test_accuracy": Words(pt="acurácia no teste", en="test accuracy"),
    "gain": Words(pt="ganho (pontos percentuais)", en="gain (percentage points)"),
    "activation": Words(pt="ativação", en="activation"),
}
CAVEATS = [
    Words(
        pt="Uma arquitetura, um otimizador e uma taxa de aprendizado, constante; quando a taxa cai durante o treino, "
        "o sobreajuste é menor e parar cedo sai mais caro, porque corta a queda.",
        en="One architecture, one optimizer and one learning rate, held constant; where the rate falls during "
        "training there is less over-fitting, and stopping early costs more because it cuts that fall off.",
    ),
    Words(
        pt="A intensidade de cada regularizador vem de uma grade pequena, de uma só semente e da perda de validação; "
        "escolhida pela acurácia, que oscila mais, poderia ser outra. Nos pares e "
        "no conjunto dos quatro, ela é a que cada um tinha sozinho, e o conjunto pode pedir menos de cada.",
        en="Each strength comes from a small grid, a single seed and the validation loss; picked by accuracy, which "
        "is noisier, it might be another. In the pairs and in all four together it is the one picked for each alone, "
        "and together they may want less of each.",
    ),
    Words(
        pt="No caso de poucas imagens, a validação que escolhe e que para o treino é maior do que o próprio treino; "
        "quem só tem poucas imagens escolhe com menos segurança.",
        en="Where images are few, the validation part that picks and that stops is larger than the training set; "
        "whoever really has few images picks with less certainty.",
    ),
    Words(
        pt="Todas as redes treinam o mesmo número de passos; com dropout ou decaimento forte, um treino mais longo "
        "poderia render mais.",
        en="All nets train for the same number of steps; with strong dropout or decay a longer training might yield "
        "more.",
    ),
    Words(
        pt="Ficaram de fora: os pares e o decaimento desacoplado com todas as imagens, e os pares com o decaimento "
        "desacoplado.",
        en="Left out: with all images, the pairs and the decoupled decay; and pairs with the decoupled decay.",
    ),
    Words(
        pt="Os intervalos (t de Student) falam da variação entre sementes, não da escolha das imagens de teste; e, "
        "entre tantos intervalos, um ou outro engana por acaso.",
        en="The intervals (Student's t) speak of the spread between seeds, not of the choice of test images; and among "
        "so many intervals one or the other misleads by chance.",
    ),
]


def name_of(combination: tuple[str, ...], together: tuple[str, ...]) -> Words:
    """Return how a set of regularisers is called."""
    if not combination:
        return NONE
    if combination == together:
        return ALL_TOGETHER
    return Words(*(" + ".join(NAMES[name][language] for name in combination) for language in ("pt-BR", "en")))
