"""The sentences of the lab `activations`, in both languages."""

from hf_llm.experiments.result import Words

TITLE = Words(pt="Funções de ativação: valores e gradientes", en="Activation functions: values and gradients")
INTRODUCTION = Words(
    pt="""Uma ativação faz duas coisas: na ida, transforma a soma *z* de cada unidade em *f(z)*; na volta, multiplica o
gradiente pela derivada *f′(z)*. Uma derivada perto de zero é uma **unidade saturada**, que quase não deixa passar
gradiente; se ela é zero para todos os exemplos, a **unidade está morta**: os seus pesos não mudam mais.

A aula diz que a ReLU “evita o gradiente morto”. No nível de uma unidade, isso se divide em perguntas que se podem
medir: o que acontece com entradas positivas e com negativas; quantas unidades ficam sem gradiente, com entradas comuns
e com entradas grandes; quanto gradiente passa em média; e o que acontece quando uma taxa de aprendizado alta demais
empurra as unidades para onde a derivada é zero. Como o efeito se multiplica numa rede profunda é outro experimento.

Depois vêm a centragem em zero, com uma comparação em que só a média das saídas muda (a mesma tanh deslocada, e a mesma
sigmoide centrada, partindo da mesma função), e a GELU, *z·Φ(z)*, com a aproximação por tanh que a GPT-2 usa. Olhe os
gráficos antes da tabela de afirmações: algumas respostas não são as que se costuma repetir.""",
    en="""An activation does two things: on the way forward it turns each unit's sum *z* into *f(z)*; on the way back
it multiplies the gradient by the derivative *f′(z)*. A derivative close to zero is a **saturated unit**, which lets
hardly any gradient through; if it is zero for every example, the **unit is dead**: its weights no longer change.

The lecture says that ReLU “avoids the dead gradient”. At the level of one unit this splits into questions that can be
measured: what happens to positive inputs and to negative ones; how many units are left without a gradient, with
ordinary inputs and with large ones; how much gradient passes on average; and what happens when a learning rate that is
too high pushes units to where the derivative is zero. How the effect multiplies in a deep net is another experiment.

Then come zero-centring, in a comparison where only the mean of the outputs changes (the same tanh moved, and the same
sigmoid centred, starting from the same function), and GELU, *z·Φ(z)*, with the approximation by tanh that GPT-2 uses.
Look at the charts before the table of claims: some answers are not the ones usually repeated.""",
)
VARIANT_NAMES = {
    "tanh": Words(pt="tanh", en="tanh"),
    "tanh_moved": Words(pt="um + tanh", en="one + tanh"),
    "sigmoid_centred": Words(pt="sigmoide − meio", en="sigmoid − half"),
    "sigmoid": Words(pt="sigmoide", en="sigmoid"),
}
_ACTIVATION = {"name": Words(pt="ativação", en="activation")}
_LAYERS = {f"layer_{i}": Words(pt=f"camada {i}", en=f"layer {i}") for i in range(1, 6)}
TABLES = {
    "functions": (
        Words(
            pt="As funções e as suas derivadas na grade; a última coluna é a maior diferença para o autograd",
            en="The functions and their derivatives on the grid; the last column is the largest difference to autograd",
        ),
        {
            **_ACTIVATION,
            "lowest": Words(pt="menor valor", en="lowest value"),
            "highest": Words(pt="maior valor", en="highest value"),
            "lowest_derivative": Words(pt="menor derivada", en="lowest derivative"),
            "highest_derivative": Words(pt="maior derivada", en="highest derivative"),
            "lowest_derivative_above_zero": Words(
                pt="menor derivada em z positivo", en="lowest derivative at positive z"
            ),
            "autograd": Words(pt="diferença", en="difference"),
        },
    ),
    "normal": (
        Words(
            pt="Uma unidade com entradas normais: média das saídas e da derivada, e parte das entradas em que ela "
            "satura, por desvio-padrão σ das entradas",
            en="One unit with normal inputs: mean output and mean derivative, and the share of inputs for which it is "
            "saturated, by the inputs' standard deviation σ",
        ),
        {
            **_ACTIVATION,
            "mean": Words(pt="saída média, σ = 1", en="mean output, σ = 1"),
            "mean_derivative": Words(pt="derivada média, σ = 1", en="mean derivative, σ = 1"),
            **{f"saturated_{d}": Words(pt=f"saturada, σ = {d}", en=f"saturated, σ = {d}") for d in (1, 2, 4, 8)},
        },
    ),
    "network": (
        Words(
            pt="Parte das unidades saturadas em cada camada de uma rede sorteada e não treinada, com pesos comuns e "
            "com pesos grandes",
            en="Share of saturated units in each layer of a net that was drawn and not trained, with ordinary and with "
            "large weights",
        ),
        {**_ACTIVATION, "scale": Words(pt="escala dos pesos", en="scale of the weights"), **_LAYERS},
    ),
    "dead": (
        Words(
            pt="Parte das unidades mortas antes do treino, depois dele e depois de continuar com uma taxa baixa; "
            "média das sementes",
            en="Share of dead units before training, after it, and after going on at a gentle rate; mean over seeds",
        ),
        {
            **_ACTIVATION,
            "rate": Words(pt="taxa de aprendizado", en="learning rate"),
            "start": Words(pt="mortas antes", en="dead before"),
            "after": Words(pt="mortas depois", en="dead after"),
            "later": Words(pt="mortas ao continuar", en="dead after going on"),
            "revived": Words(pt="parte que voltou", en="share that came back"),
            "accuracy": Words(pt="acurácia depois", en="accuracy after"),
            "accuracy_later": Words(pt="acurácia ao continuar", en="accuracy after going on"),
        },
    ),
    "centring": (
        Words(
            pt="Perda de treino no fim, por função e taxa de aprendizado; cada função é julgada pela sua melhor taxa",
            en="Training loss at the end, by function and learning rate; each function is judged by its best rate",
        ),
        {
            "name": Words(pt="função", en="function"),
            "rate": Words(pt="taxa de aprendizado", en="learning rate"),
            "loss": Words(pt="perda (nats)", en="loss (nats)"),
            "best": Words(pt="melhor", en="best"),
        },
    ),
    "families": (
        Words(
            pt="A ativação da camada feed-forward na configuração padrão de cada família, na biblioteca transformers",
            en="The feed-forward layer's activation in each family's default configuration, in the transformers "
            "library",
        ),
        {"family": Words(pt="família", en="family"), "activation": Words(pt="ativação", en="activation")},
    ),
}
CAPTIONS = {
    "functions": Words(
        pt="As quatro ativações e as suas derivadas: o que sai e quanto do gradiente volta",
        en="The four activations and their derivatives: what comes out, and how much of the gradient comes back",
    ),
    "saturation": Words(
        pt="Parte das unidades que quase não deixam passar gradiente: com entradas normais de vários tamanhos (à "
        "esquerda) e nas camadas de uma rede não treinada com pesos grandes (à direita)",
        en="Share of units that let hardly any gradient through: with normal inputs of several sizes (left) and in the "
        "layers of an untrained net with large weights (right)",
    ),
    "dead": Words(
        pt="Parte das unidades mortas depois do treino (à esquerda) e acurácia depois de continuar com uma taxa baixa "
        "(à direita), por taxa de aprendizado; as barras vão da menor à maior semente",
        en="Share of dead units after training (left) and accuracy after going on at a gentle rate (right), by "
        "learning rate; the bars reach from the lowest to the highest seed",
    ),
    "centring": Words(
        pt="Perda de treino com a melhor taxa de cada função; dentro de cada par (as duas tanh, as duas sigmoides) só "
        "a média das saídas difere; as faixas vão da menor à maior semente",
        en="Training loss at each function's best rate; within each pair (both tanh, both sigmoids) only the mean of "
        "the outputs differs; bands reach from the lowest to the highest seed",
    ),
}
_PAIRED = Words(
    pt="perda de treino no fim, diferença em nats, pareada pela semente",
    en="training loss at the end, difference in nats, paired by the seed",
)
_MEAN_OUTPUT = Words(
    pt="saída média com entradas normais padrão; até um centésimo conta como zero",
    en="mean output with standard normal inputs; up to a hundredth counts as zero",
)
_DERIVATIVE_AT_MOST = Words(pt="maior derivada na grade", en="largest derivative on the grid")
CLAIMS = {
    "autograd": (
        Words(
            pt="As derivadas escritas à mão são as do autograd",
            en="The derivatives written by hand are autograd's",
        ),
        Words(pt="maior diferença na grade", en="largest difference on the grid"),
    ),
    "quarter": (
        Words(
            pt="A sigmoide deixa passar no máximo um quarto do gradiente",
            en="The sigmoid lets at most a quarter of the gradient through",
        ),
        _DERIVATIVE_AT_MOST,
    ),
    "positive": (
        Words(
            pt="Com entrada positiva, a ReLU nunca satura: o gradiente passa inteiro",
            en="For positive inputs ReLU never saturates: the whole gradient passes",
        ),
        Words(pt="menor derivada em z positivo", en="lowest derivative at positive z"),
    ),
    "dead_gradient": (
        Words(
            pt="“A ReLU evita o gradiente morto”: com entradas normais padrão, ela deixa menos unidades sem gradiente "
            "do que a sigmoide",
            en="“ReLU avoids the dead gradient”: with standard normal inputs it leaves fewer units without a gradient "
            "than the sigmoid",
        ),
        Words(
            pt="parte das unidades saturadas, sigmoide menos ReLU; a ReLU barra todo z negativo",
            en="share of saturated units, sigmoid minus ReLU; ReLU blocks every negative z",
        ),
    ),
    "strong_inputs": (
        Words(
            pt="Com entradas muito grandes, a ReLU deixa menos unidades sem gradiente do que a sigmoide",
            en="With very large inputs, ReLU leaves fewer units without a gradient than the sigmoid",
        ),
        Words(
            pt="parte das unidades saturadas, sigmoide menos ReLU, com o maior desvio-padrão",
            en="share of saturated units, sigmoid minus ReLU, at the largest standard deviation",
        ),
    ),
    "on_average": (
        Words(
            pt="Em média, passa mais gradiente pela ReLU do que pela sigmoide",
            en="On average, more gradient passes through ReLU than through the sigmoid",
        ),
        Words(
            pt="derivada média com entradas normais padrão, ReLU menos sigmoide",
            en="mean derivative with standard normal inputs, ReLU minus sigmoid",
        ),
    ),
    "killed": (
        Words(
            pt="Uma taxa de aprendizado alta demais mata unidades ReLU",
            en="A learning rate that is too high kills ReLU units",
        ),
        Words(pt="parte morta depois do treino menos antes", en="share dead after training minus before"),
    ),
    "dies_less_than_sigmoid": (
        Words(
            pt="“A ReLU evita o gradiente morto”: com a mesma taxa alta demais, morrem menos unidades ReLU do que "
            "sigmoides",
            en="“ReLU avoids the dead gradient”: at the same too high rate, fewer ReLU units die than sigmoids",
        ),
        Words(
            pt="parte morta depois do treino, sigmoide menos ReLU", en="share dead after training, sigmoid minus ReLU"
        ),
    ),
    "revived": (
        Words(
            pt="Uma unidade ReLU morta volta quando se continua com uma taxa baixa",
            en="A dead ReLU unit comes back when training goes on at a gentle rate",
        ),
        Words(
            pt="parte das mortas que voltou, a maior entre as sementes",
            en="share of the dead that came back, the largest of the seeds",
        ),
    ),
    "gelu_dies_less": (
        Words(
            pt="Com a mesma taxa alta demais, a GELU perde menos unidades do que a ReLU",
            en="At the same too high rate, GELU loses fewer units than ReLU",
        ),
        Words(pt="parte morta depois do treino, ReLU menos GELU", en="share dead after training, ReLU minus GELU"),
    ),
    "gelu_never_dies": (
        Words(
            pt="Unidades GELU não morrem, seja qual for a taxa",
            en="GELU units do not die, whatever the rate",
        ),
        Words(
            pt="maior parte morta entre todas as taxas e sementes; bem abaixo de zero a derivada some também",
            en="largest share dead over all rates and seeds; far below zero its derivative is gone, too",
        ),
    ),
    "tanh_centred": (
        Words(
            pt="A saída da tanh é centrada em zero",
            en="The output of tanh is centred at zero",
        ),
        _MEAN_OUTPUT,
    ),
    "relu_centred": (
        Words(
            pt="A saída da ReLU é centrada em zero",
            en="The output of ReLU is centred at zero",
        ),
        _MEAN_OUTPUT,
    ),
    "tanh_moved": (
        Words(
            pt="Centrar em zero acelera o treino: a mesma tanh, deslocada, chega menos longe",
            en="Zero-centring speeds up training: the same tanh, moved, gets less far",
        ),
        _PAIRED,
    ),
    "sigmoid_moved": (
        Words(
            pt="Centrar em zero acelera o treino: a mesma sigmoide, sem centrar, chega menos longe",
            en="Zero-centring speeds up training: the same sigmoid, not centred, gets less far",
        ),
        _PAIRED,
    ),
    "only_centring": (
        Words(
            pt="A centragem não é toda a vantagem da tanh: mesmo a sigmoide centrada chega menos longe",
            en="Centring is not all of tanh's advantage: even the centred sigmoid gets less far",
        ),
        _PAIRED,
    ),
    "dip": (
        Words(
            pt="A GELU não é monótona: desce um pouco antes de subir",
            en="GELU is not monotonic: it goes down a little before it rises",
        ),
        Words(pt="menor derivada na grade", en="lowest derivative on the grid"),
    ),
    "approximation": (
        Words(
            pt="A aproximação por tanh que a GPT-2 usa difere da GELU exata em menos de um milésimo",
            en="The approximation by tanh that GPT-2 uses is within a thousandth of the exact GELU",
        ),
        Words(pt="maior diferença na grade", en="largest difference on the grid"),
    ),
    "named": (
        Words(
            pt="BERT, GPT e GPT-2 usam GELU",
            en="BERT, GPT and GPT-2 use GELU",
        ),
        Words(
            pt="parte das três, na configuração padrão da biblioteca",
            en="share of the three, in the library's default configuration",
        ),
    ),
    "all_families": (
        Words(
            pt="Os Transformers em geral usam GELU",
            en="Transformers in general use GELU",
        ),
        Words(pt="parte das famílias da tabela", en="share of the families in the table"),
    ),
}
CAVEATS = [
    Words(
        pt="“Saturada” e “morta” são limiares que escolhemos; estão nas configurações do resultado. As ordens mudam "
        "pouco com outros, os números mudam.",
        en="“Saturated” and “dead” are thresholds of our choice; they stand in the result's settings. Others change "
        "the figures.",
    ),
    Words(
        pt="Uma unidade ReLU com z negativo num exemplo não está morta: outro exemplo a reativa, e zeros exatos também "
        "tornam a representação esparsa. Contar unidades sem gradiente não é contar o que se aprende.",
        en="A ReLU unit with a negative z for one example is not dead: another example turns it on again, and exact "
        "zeros also make the representation sparse. Counting units without a gradient is not counting what is learned.",
    ),
    Words(
        pt="As unidades mortas são contadas numa rede de uma camada oculta, com SGD simples: numa rede mais funda a "
        "entrada da unidade também muda, e uma morta pode voltar.",
        en="Dead units are counted in a net with one hidden layer and plain SGD: in a deeper net a unit's input "
        "changes as well, and a dead one may come back.",
    ),
    Words(
        pt="A mesma taxa de aprendizado não é igualmente alta para todas: pela sigmoide passa menos gradiente, e os "
        "seus passos são menores.",
        en="The same learning rate is not equally high for all: less gradient passes through the sigmoid, so its steps "
        "are smaller.",
    ),
    Words(
        pt="A centragem foi medida com SGD simples, sem normalização: camadas de normalização recentralizam e deixam "
        "menos a ganhar.",
        en="Centring was measured with plain SGD, without normalisation: normalisation layers centre again and leave "
        "less to gain.",
    ),
    Words(
        pt="A tabela das famílias é uma escolha nossa, não uma amostra; a SiLU das mais novas é parente da GELU.",
        en="The table of families is a choice of ours, not a sample; the SiLU of the newer ones is akin to GELU.",
    ),
]
