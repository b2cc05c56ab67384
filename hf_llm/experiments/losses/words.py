"""The sentences of the lab `losses`, in both languages."""

from hf_llm.experiments.losses.regression import FEW, MANY
from hf_llm.experiments.result import Words

TITLE = Words(
    pt="Perdas: erro quadrático e entropia cruzada, no lugar certo e no errado",
    en="Losses: squared error and cross-entropy, in the right place and in the wrong one",
)
INTRODUCTION = Words(
    pt="""A aula diz: erro quadrático médio para regressão, entropia cruzada para classificação. Aqui se vê por quê, e
onde a regra é menos rígida do que parece.

**Classificação.** Depois de um softmax, o gradiente da entropia cruzada nos logits é simplesmente *p − y*,
probabilidade menos alvo. O do erro quadrático leva ainda a derivada da própria sigmoide, *p* vezes o que falta a *p*
para um, que some quando a rede tem certeza, também quando ela tem certeza e está errada. As mesmas redes treinam com as
duas perdas, a partir de pesos sorteados e a partir de pesos que antes aprenderam todos os rótulos errados; as duas
perdas têm a mesma busca de taxa de aprendizado.

**Regressão.** Os mesmos dados com erro quadrático, com entropia cruzada entre faixas de valores, lida de dois modos, e
com uma sigmoide que trata o alvo, posto na escala de uma probabilidade, como se fosse uma. A entropia cruzada não sabe
que faixas vizinhas são parecidas.

**Probabilidades.** A saída de uma sigmoide fica entre zero e um seja qual for a perda; se é uma probabilidade em que se
pode confiar, depende da perda. Por fim, o softmax calculado pela definição estoura, e subtrair o maior logit resolve
o problema.""",
    en="""The lecture says: mean squared error for regression, cross-entropy for classification. Here one sees why, and
where the rule is less strict than it seems.

**Classification.** After a softmax, the gradient of cross-entropy by the logits is simply *p − y*, probability minus
target. That of the squared error has one more factor, the sigmoid's own derivative, *p* times what *p* lacks to one,
which vanishes when the net is sure, also when it is sure and wrong. The same nets train with both losses, from weights
as drawn, and from weights that have first learned every label wrong; both losses get the same search for a learning
rate.

**Regression.** The same data with squared error, with cross-entropy among bins of values, read in two ways, and with a
sigmoid that treats the target, put on a probability's scale, as if it were one. Cross-entropy does not know that
neighbouring bins are alike.

**Probabilities.** A sigmoid's output lies between zero and one whatever the loss; whether it is a probability that can
be trusted depends on the loss. Finally, softmax computed from its definition overflows, and subtracting the largest
logit mends it.""",
)
LOSS_NAMES = {
    "cross_entropy": Words(pt="entropia cruzada", en="cross-entropy"),
    "squared": Words(pt="erro quadrático", en="squared error"),
    "absolute": Words(pt="erro absoluto", en="absolute error"),
}
START_NAMES = {
    "as_drawn": Words(pt="pesos sorteados", en="weights as drawn"),
    "surely_wrong": Words(pt="depois de aprender tudo errado", en="after learning everything wrong"),
}
DATASET_NAMES = {
    "diabetes": Words(pt="diabetes", en="diabetes"),
    "friedman": Words(pt="função de Friedman", en="Friedman's function"),
}
METHOD_NAMES = {
    ("squared", "output"): Words(pt="erro quadrático", en="squared error"),
    (f"bins_{FEW}", "mean"): Words(pt=f"{FEW} faixas, média", en=f"{FEW} bins, mean"),
    (f"bins_{FEW}", "top"): Words(pt=f"{FEW} faixas, mais provável", en=f"{FEW} bins, most probable"),
    (f"bins_{MANY}", "mean"): Words(pt=f"{MANY} faixas, média", en=f"{MANY} bins, mean"),
    (f"bins_{MANY}", "top"): Words(pt=f"{MANY} faixas, mais provável", en=f"{MANY} bins, most probable"),
    ("probability", "output"): Words(pt="como probabilidade", en="as a probability"),
}
_RATE = Words(pt="taxa de aprendizado", en="learning rate")
TABLES = {
    "gradients": (
        Words(
            pt="Duas classes: gradiente de cada perda no logit, quando a resposta certa é a classe positiva",
            en="Two classes: gradient of each loss by the logit, where the right answer is the positive class",
        ),
        {
            "logit": Words(pt="logit z", en="logit z"),
            "p": Words(pt="p = σ(z)", en="p = σ(z)"),
            "cross_entropy": Words(pt="entropia cruzada, p − y", en="cross-entropy, p − y"),
            "squared": Words(pt="erro quadrático, 2 (p − y) p (1 − p)", en="squared error, 2 (p − y) p (1 − p)"),
        },
    ),
    "overflow": (
        Words(
            pt="A entropia cruzada dos logits (m, zero) quando a segunda classe é a certa, em precisão simples",
            en="The cross-entropy of the logits (m, zero) where the second class is right, in single precision",
        ),
        {
            "m": Words(pt="m", en="m"),
            "by_definition": Words(pt="pela definição", en="by definition"),
            "softmax_then_log": Words(pt="softmax, depois logaritmo", en="softmax, then logarithm"),
            "log_sum_exp": Words(pt="log-soma-exp", en="log-sum-exp"),
            "exact": Words(pt="exata", en="exact"),
        },
    ),
    "digits": (
        Words(
            pt="Dígitos: gradiente médio nos logits antes do treino e acurácias, na validação (média ao longo do "
            "treino, e no fim) e no teste; cada perda é julgada pela taxa que a validação escolhe",
            en="Digits: mean gradient by the logits before training, and accuracies, on validation (averaged along "
            "training, and at the end) and test images; each loss is judged by the rate that validation picks",
        ),
        {
            "start_name": Words(pt="partida", en="start"),
            "loss_name": Words(pt="perda", en="loss"),
            "rate": _RATE,
            "gradient": Words(pt="gradiente antes", en="gradient before"),
            "along": Words(pt="validação, ao longo", en="validation, along"),
            "validation": Words(pt="validação, no fim", en="validation, at the end"),
            "test": Words(pt="teste", en="test"),
            "best": Words(pt="escolhida", en="picked"),
        },
    ),
    "order": (
        Words(
            pt="Uma previsão que aposta numa faixa errada: as duas perdas, pela distância até a faixa certa",
            en="A prediction that bets on a wrong bin: both losses, by the distance to the right bin",
        ),
        {
            "distance": Words(pt="distância em faixas", en="bins away"),
            "cross_entropy": Words(pt="entropia cruzada", en="cross-entropy"),
            "squared": Words(pt="erro quadrático da média", en="squared error of the mean"),
        },
    ),
    "regression": (
        Words(
            pt="Regressão: raiz do erro quadrático médio, em desvios-padrão do alvo, com a taxa que a validação "
            "escolhe; “piso” é o erro de quem sempre acerta a faixa",
            en="Regression: root mean squared error, in standard deviations of the target, at the rate that validation "
            "picks; “floor” is the error of somebody who always names the right bin",
        ),
        {
            "dataset_name": Words(pt="dados", en="data"),
            "method_name": Words(pt="método", en="method"),
            "rate": _RATE,
            "training": Words(pt="treino", en="training"),
            "validation": Words(pt="validação", en="validation"),
            "test": Words(pt="teste", en="test"),
            "floor": Words(pt="piso", en="floor"),
        },
    ),
    "calibration": (
        Words(
            pt="Um neurônio com sigmoide, em dados cujas probabilidades se conhecem: erro de calibração, distância "
            "média à probabilidade verdadeira e acurácia",
            en="One neuron with a sigmoid, on data whose probabilities are known: calibration error, mean distance to "
            "the true probability, and accuracy",
        ),
        {
            "loss_name": Words(pt="perda", en="loss"),
            "calibration_error": Words(pt="erro de calibração", en="calibration error"),
            "from_truth": Words(pt="distância à verdade", en="distance to the truth"),
            "accuracy": Words(pt="acurácia", en="accuracy"),
        },
    ),
}
CAPTIONS = {
    "gradients": Words(
        pt="Tamanho do gradiente no logit quando a resposta certa é a classe positiva: à esquerda a rede tem certeza "
        "e está errada, e o erro quadrático quase não a corrige",
        en="Size of the gradient by the logit, where the right answer is the positive class: on the left the net is "
        "sure and wrong, and the squared error hardly corrects it",
    ),
    "race": Words(
        pt="Acurácia na validação com as duas perdas, cada uma com a sua melhor taxa: a partir de pesos sorteados e de "
        "uma rede que aprendeu tudo errado; as faixas vão da menor à maior semente",
        en="Validation accuracy with both losses, each at its best rate: from weights as drawn and from a net that has "
        "learned everything wrong; bands reach from the lowest to the highest seed",
    ),
    "regression": Words(
        pt="Erro no teste de cada método de regressão: média das sementes (ponto) e cada semente (traço)",
        en="Test error of each method of regression: mean over the seeds (dot) and each seed (tick)",
    ),
    "calibration": Words(
        pt="Confiança e acerto, faixa por faixa, em cada semente: sobre a diagonal, quem diz uma probabilidade acerta "
        "com essa frequência; abaixo dela, promete mais do que cumpre",
        en="Confidence and share of right answers, bin by bin, for each seed: on the diagonal, who states a "
        "probability is right that often; below it, more is promised than kept",
    ),
}
_POINTS_END = Words(
    pt="acurácia no teste, entropia cruzada menos erro quadrático, em pontos percentuais, pareada pela semente",
    en="test accuracy, cross-entropy minus squared error, in percentage points, paired by the seed",
)
_POINTS_ALONG = Words(
    pt="acurácia na validação em média ao longo do treino, entropia cruzada menos erro quadrático, em pontos "
    "percentuais, pareada pela semente",
    en="validation accuracy averaged along training, cross-entropy minus squared error, in percentage points, paired "
    "by the seed",
)
_CALIBRATION = Words(
    pt="erro de calibração em amostras novas; abaixo de três centésimos conta como calibrado",
    en="calibration error on new samples; below three hundredths counts as calibrated",
)
CLAIMS = {
    "p_minus_y": (
        Words(
            pt="O gradiente da entropia cruzada nos logits do softmax é p − y",
            en="The gradient of cross-entropy by the softmax's logits is p − y",
        ),
        Words(pt="maior diferença relativa para o autograd", en="largest relative difference to autograd"),
    ),
    "vanishes": (
        Words(
            pt="Quando a rede tem certeza e está errada, o gradiente do erro quadrático some, e o da entropia cruzada "
            "não",
            en="Where the net is sure and wrong, the squared error's gradient vanishes, and cross-entropy's does not",
        ),
        Words(
            pt="gradiente do erro quadrático dividido pelo da entropia cruzada, no menor logit da tabela",
            en="squared error's gradient divided by the cross-entropy's, at the lowest logit of the table",
        ),
    ),
    "sends_less_back": (
        Words(
            pt="Numa rede que aprendeu tudo errado, a entropia cruzada manda mais gradiente de volta",
            en="In a net that has learned everything wrong, cross-entropy sends more gradient back",
        ),
        Words(
            pt="gradiente médio nos logits antes do treino, entropia cruzada menos erro quadrático",
            en="mean gradient by the logits before training, cross-entropy minus squared error",
        ),
    ),
    "drawn_end": (
        Words(
            pt="A partir de pesos sorteados, a entropia cruzada termina mais acurada",
            en="From weights as drawn, cross-entropy ends more accurate",
        ),
        _POINTS_END,
    ),
    "drawn_along": (
        Words(
            pt="A partir de pesos sorteados, a entropia cruzada aprende mais depressa",
            en="From weights as drawn, cross-entropy learns faster",
        ),
        _POINTS_ALONG,
    ),
    "wrong_end": (
        Words(
            pt="Depois de aprender tudo errado, a rede termina mais acurada com entropia cruzada",
            en="After learning everything wrong, the net ends more accurate with cross-entropy",
        ),
        _POINTS_END,
    ),
    "wrong_along": (
        Words(
            pt="Depois de aprender tudo errado, a rede se corrige mais depressa com entropia cruzada",
            en="After learning everything wrong, the net corrects itself faster with cross-entropy",
        ),
        _POINTS_ALONG,
    ),
    "order": (
        Words(
            pt="Entre faixas de valores, a entropia cruzada distingue o erro de uma faixa do erro de muitas",
            en="Among bins of values, cross-entropy tells a miss by one bin from a miss by many",
        ),
        Words(
            pt="maior menos menor entropia cruzada, entre todas as distâncias",
            en="largest minus smallest cross-entropy, over all distances",
        ),
    ),
    "definition": (
        Words(
            pt="O softmax pode ser calculado pela definição, sejam quais forem os logits",
            en="Softmax can be computed from its definition, whatever the logits",
        ),
        Words(
            pt="menor logit da tabela em que a perda deixa de ser um número finito",
            en="lowest logit of the table at which the loss is no longer a finite number",
        ),
    ),
    "log_sum_exp": (
        Words(
            pt="Com o maior logit subtraído (log-soma-exp), a perda sai certa para todos os logits da tabela",
            en="With the largest logit subtracted (log-sum-exp), the loss comes out right for all logits of the table",
        ),
        Words(pt="maior erro relativo", en="largest relative error"),
    ),
    "calibrated": (
        Words(
            pt="Treinada com entropia cruzada, a sigmoide dá probabilidades em que se pode confiar",
            en="Trained with cross-entropy, the sigmoid gives probabilities that can be trusted",
        ),
        _CALIBRATION,
    ),
    "calibrated_squared": (
        Words(
            pt="Treinada com erro quadrático, a sigmoide dá probabilidades em que se pode confiar",
            en="Trained with squared error, the sigmoid gives probabilities that can be trusted",
        ),
        _CALIBRATION,
    ),
    "calibrated_absolute": (
        Words(
            pt="A sigmoide dá probabilidades em que se pode confiar seja qual for a perda: também com o erro absoluto",
            en="The sigmoid gives probabilities that can be trusted whatever the loss: with absolute error, too",
        ),
        _CALIBRATION,
    ),
}
_HERE = {
    "diabetes": Words(pt="Nos dados de diabetes, que têm muito ruído", en="On the diabetes data, which are noisy"),
    "friedman": Words(
        pt="Na função de Friedman, que tem pouco ruído", en="On Friedman's function, which has little noise"
    ),
}
for _dataset, _here in _HERE.items():
    CLAIMS[_dataset, "bins"] = (
        Words(
            pt=f"{_here.pt}, o erro quadrático prevê melhor do que a entropia cruzada entre faixas",
            en=f"{_here.en}, squared error predicts better than cross-entropy among bins",
        ),
        Words(
            pt="erro no teste, faixas (lidas pela média) menos erro quadrático, em desvios-padrão do alvo, pareado",
            en="test error, bins (read by their mean) minus squared error, in deviations of the target, paired",
        ),
    )
    CLAIMS[_dataset, "top"] = (
        Words(
            pt=f"{_here.pt}, ler só a faixa mais provável é pior do que ler a média entre as faixas",
            en=f"{_here.en}, reading only the most probable bin is worse than reading the mean over the bins",
        ),
        Words(
            pt="erro no teste, faixa mais provável menos média, em desvios-padrão do alvo, pareado",
            en="test error, most probable bin minus mean, in deviations of the target, paired",
        ),
    )
    CLAIMS[_dataset, "probability"] = (
        Words(
            pt=f"{_here.pt}, tratar o alvo como probabilidade é pior do que o erro quadrático",
            en=f"{_here.en}, treating the target as a probability is worse than squared error",
        ),
        Words(
            pt="erro no teste, como probabilidade menos erro quadrático, em desvios-padrão do alvo, pareado",
            en="test error, as a probability minus squared error, in deviations of the target, paired",
        ),
    )
CAVEATS = [
    Words(
        pt="Redes pequenas, dados pequenos, SGD simples e um número fixo de passos: um otimizador que reescala os "
        "gradientes, como Adam, pode tirar parte da diferença de velocidade.",
        en="Small nets, small data, plain SGD and a fixed number of steps: an optimizer that rescales gradients, such "
        "as Adam, may take away part of the difference in speed.",
    ),
    Words(
        pt="Na classificação mediu-se o quadrado depois do softmax. O quadrado direto nos logits não tem o fator que "
        "some (Hui e Belkin o compararam com a entropia cruzada em tarefas grandes) e não está aqui.",
        en="In the classification the square was taken after the softmax. The square on the logits themselves lacks "
        "the factor that vanishes (Hui and Belkin compared it with cross-entropy on large tasks) and is not here.",
    ),
    Words(
        pt="As taxas foram escolhidas com as mesmas sementes que se comparam, mas pela validação, não pelo teste. A "
        "velocidade (média ao longo do treino) foi medida na própria validação.",
        en="Rates were chosen with the very seeds that are compared, but by validation, not by the test. The speed "
        "(the average along training) was measured on the validation images themselves.",
    ),
    Words(
        pt="O fim depende da grade de taxas: com menos taxas por perto do ponto em que o treino quebra, uma das perdas "
        "pode parecer pior do que é.",
        en="The end depends on the grid of rates: with fewer rates near the point where training breaks, one of the "
        "losses may look worse than it is.",
    ),
    Words(
        pt="Quem trata o alvo como probabilidade, ou o corta em faixas, nunca prevê além do que viu no treino; isso "
        "não pesa em dados de teste que vêm da mesma distribuição.",
        en="Who treats the target as a probability, or cuts it into bins, never predicts beyond what was seen in "
        "training; this does not count on test data from the same distribution.",
    ),
    Words(
        pt="A calibração foi medida onde o modelo pode exprimir a verdade. Uma rede grande, que decora o treino, fica "
        "confiante demais também com entropia cruzada.",
        en="Calibration was measured where the model can express the truth. A large net that learns its training data "
        "by heart becomes overconfident with cross-entropy as well.",
    ),
]
