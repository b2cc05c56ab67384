"""The sentences of the question `transformer-dropout`, in both languages. The claims stand where they are judged."""

from hf_llm.experiments.result import Words

TITLE = Words(
    pt="Como o dropout funciona num Transformer?",
    en="How does dropout work in a Transformer?",
)
INTRODUCTION = Words(
    pt="""Dropout zera ao acaso, com probabilidade *p*, alguns dos valores que passam por um ponto da rede, e divide os
outros pela probabilidade de ficar, para que a média não mude. Isso acontece só no **modo de treino**; no **modo de
avaliação** nada é zerado. Num Transformer a pergunta é *onde*. A GPT-2 tem quatro tipos de lugar:

- **nos embeddings**: características de um token, logo na entrada;
- **nos pesos de atenção**: ligações entre dois tokens, em uma cabeça;
- **depois da atenção**: parte do que as cabeças, já juntas e projetadas, escrevem no fluxo residual;
- **no fim da feed-forward**: parte do que ela escreve no fluxo residual.

Nos dois últimos o atalho passa intacto: o que se apaga é só a contribuição da camada. A aula diz que o dropout é usado
“principalmente nas camadas feed-forward e no final das cabeças de atenção”, isto é, nesses dois. Aqui a mesma GPT-2
pequena aprende um texto curto, com dropout em cada lugar sozinho, nos dois da aula, nos outros dois e em todos, com
vários valores de *p*. Primeiro olhe as curvas: onde a validação volta a subir enquanto o treino continua a cair, o
modelo está decorando o texto. Depois compare quantos bits por byte cada lugar poupa num trecho que ficou guardado.

A segunda parte mostra o mecanismo: o mesmo modelo treinado, nos dois modos. No modo de treino cada passada apaga
outros lugares, e a previsão do próximo token muda de uma passada para outra. A terceira parte pergunta à biblioteca
transformers onde as suas classes têm dropout, e com que probabilidade, quando ninguém escolhe.""",
    en="""Dropout zeroes at random, with probability *p*, some of the values that pass a point of the net, and divides
the others by the probability of staying, so that the mean does not change. It does so in **training mode** only; in
**evaluation mode** nothing is zeroed. In a Transformer the question is *where*. GPT-2 has four kinds of place:

- **at the embedding**: features of a token, right at the input;
- **on the attention weights**: links between two tokens, in one head;
- **after the attention**: part of what the heads, joined and projected by then, write into the residual stream;
- **at the end of the feed-forward part**: part of what that writes into the residual stream.

At the last two the shortcut passes untouched: only the layer's contribution is dropped. The lecture says that dropout
is used “mainly in the feed-forward layers and at the end of the attention heads”, which are these two. Here the same
small GPT-2 learns a short text with dropout at each place alone, at the lecture's two, at the other two and at all of
them, with several values of *p*. Look at the curves first: where validation rises again while training keeps falling,
the model is learning the text by heart. Then compare how many bits per byte each place saves on a passage that was
kept aside.

The second part shows the mechanism: the same trained model in both modes. In training mode every pass drops other
places, and the prediction of the next token changes from pass to pass. The third part asks the transformers library
where its classes have dropout, and with which probability, when nobody chooses.""",
)
NONE = Words(pt="sem dropout", en="no dropout")
SETTING_NAMES = {
    "embedding": Words(pt="nos embeddings", en="at the embedding"),
    "attention": Words(pt="nos pesos de atenção", en="on the attention weights"),
    "projection": Words(pt="depois da atenção", en="after the attention"),
    "feed_forward": Words(pt="no fim da feed-forward", en="at the end of the feed-forward part"),
    "named": Words(pt="nos dois lugares da aula", en="at the lecture's two places"),
    "others": Words(pt="nos outros dois lugares", en="at the other two places"),
    "all": Words(pt="nos quatro lugares", en="at all four places"),
}
DROPPED = {
    "embedding": Words(pt="uma característica de um token", en="a feature of a token"),
    "attention": Words(
        pt="uma ligação de um token a outro, em uma cabeça", en="a link from one token to another, in one head"
    ),
    "projection": Words(
        pt="um valor do que a atenção escreve sobre um token", en="a value of what attention writes about a token"
    ),
    "feed_forward": Words(
        pt="um valor do que a feed-forward escreve sobre um token",
        en="a value of what the feed-forward part writes about a token",
    ),
}
FROM, TO = Words(pt="de", en="from"), Words(pt="a", en="to")
BITS = Words(pt="bits por byte", en="bits per byte")
_SETTING = {"name": Words(pt="dropout", en="dropout"), "p": Words(pt="p", en="p")}
TABLES = {  # name: caption and headings
    "sites": (
        Words(
            pt="Os quatro lugares na GPT-2 da biblioteca transformers: o nome do módulo, quantos há neste modelo, o "
            "que um zero apaga, e quantos valores são sorteados por janela de texto",
            en="The four places in the GPT-2 of the transformers library: the module's name, how many there are in "
            "this model, what a zero drops, and how many values are drawn for a window of text",
        ),
        {
            "name": Words(pt="lugar", en="place"),
            "module": Words(pt="módulo", en="module"),
            "modules": Words(pt="quantos", en="how many"),
            "dropped": Words(pt="um zero apaga", en="a zero drops"),
            "values": Words(pt="valores por janela", en="values a window"),
            "named_text": Words(pt="a aula o nomeia?", en="does the lecture name it?"),
        },
    ),
    "summary": (
        Words(
            pt="Bits por byte, média das sementes. «Melhor» é o passo que a validação escolhe em cada treino; ganho é "
            "quanto o teste custa menos do que sem dropout, pareado pela semente; a distância entre validação e "
            "treino e a subida desde o mínimo são as do último passo; «escolhido» é o p com a melhor validação",
            en="Bits per byte, mean over the seeds. “Best” is the step that validation picks in each training; gain is "
            "how much less the test costs than without dropout, paired by the seed; the gap between validation and "
            "training and the rise from the minimum are those of the last step; “picked” is the p with the best "
            "validation",
        ),
        {
            **_SETTING,
            "picked": Words(pt="escolhido", en="picked"),
            "kept_step": Words(pt="melhor passo", en="best step"),
            "best_validation": Words(pt="validação, melhor", en="validation, best"),
            "best_test": Words(pt="teste, melhor", en="test, best"),
            "gain": Words(pt="ganho", en="gain"),
            "gain_low": FROM,
            "gain_high": TO,
            "train": Words(pt="treino, último", en="training, last"),
            "validation": Words(pt="validação, último", en="validation, last"),
            "gap": Words(pt="distância", en="gap"),
            "gap_low": FROM,
            "gap_high": TO,
            "rise": Words(pt="subida", en="rise"),
        },
    ),
    "modes": (
        Words(
            pt="O mesmo modelo treinado em modo de avaliação e em modo de treino, no trecho de teste, média das "
            "sementes: bits por byte (uma passada em cada modo, e a média das previsões de todas as passadas que "
            "apagam); quanto varia, de passada para passada, a probabilidade do token favorito; em quantas passadas o "
            "favorito é o mesmo; entropia em bits; e a soma dos pesos de atenção de um token, com a sua distância "
            "média de um",
            en="The same trained model in evaluation mode and in training mode, on the test passage, mean over the "
            "seeds: bits per byte (one pass in either mode, and the averaged predictions of all passes that drop); how "
            "much the probability of the favourite token varies from pass to pass; in which share of the passes the "
            "favourite is the same; entropy in bits; and the sum of a token's attention weights, with its mean "
            "distance from one",
        ),
        {
            **_SETTING,
            "evaluation": Words(pt="avaliação", en="evaluation"),
            "training": Words(pt="treino", en="training"),
            "averaged": Words(pt="média das passadas", en="passes averaged"),
            "spread": Words(pt="desvio do favorito", en="spread of the favourite"),
            "same_token": Words(pt="mesmo favorito", en="same favourite"),
            "entropy": Words(pt="entropia, avaliação", en="entropy, evaluation"),
            "entropy_of_pass": Words(pt="entropia, uma passada", en="entropy, one pass"),
            "entropy_averaged": Words(pt="entropia, média", en="entropy, averaged"),
            "row_sum": Words(pt="soma da atenção", en="sum of attention"),
            "row_off": Words(pt="distância de um", en="distance from one"),
        },
    ),
    "library": (
        Words(
            pt="A probabilidade de dropout das classes da biblioteca transformers quando ninguém escolhe, por lugar; "
            "vazio: a classe não tem esse lugar. Depois, quantos dropouts de uma passada são ativos e que parte deles "
            "fica onde a aula diz (depois da atenção, dentro ou no fim da feed-forward)",
            en="The dropout probability of the classes of the transformers library when nobody chooses, by place; "
            "empty: the class has no such place. Then how many dropouts of one pass are active, and which share of "
            "them is where the lecture says (after the attention, inside or at the end of the feed-forward part)",
        ),
        {
            "family": Words(pt="família", en="family"),
            "year": Words(pt="artigo", en="paper"),
            "embedding": Words(pt="embeddings", en="embedding"),
            "attention": Words(pt="pesos de atenção", en="attention weights"),
            "projection": Words(pt="depois da atenção", en="after the attention"),
            "inside": Words(pt="dentro da feed-forward", en="inside the feed-forward part"),
            "feed_forward": Words(pt="fim da feed-forward", en="end of the feed-forward part"),
            "active": Words(pt="ativos", en="active"),
            "named": Words(pt="onde a aula diz", en="where the lecture says"),
        },
    ),
    "curves": (
        Words(
            pt="As curvas em bits por byte, média das sementes; os dados trazem também o menor e o maior valor",
            en="The curves in bits per byte, mean over the seeds; the data hold the lowest and the highest value, too",
        ),
        {
            **_SETTING,
            "step": Words(pt="passo", en="step"),
            "train": Words(pt="treino", en="training"),
            "train_dropping": Words(pt="treino, em modo de treino", en="training, in training mode"),
            "validation": Words(pt="validação", en="validation"),
            "test": Words(pt="teste", en="test"),
        },
    ),
    "next_token": (
        Words(
            pt="O próximo token depois de um trecho do teste, com a primeira semente e o p do meio da grade: a "
            "probabilidade em modo de avaliação, e a menor e a maior entre as passadas em modo de treino",
            en="The next token after a passage of the test part, with the first seed and the middle p of the grid: "
            "its probability in evaluation mode, and the least and the greatest among the passes in training mode",
        ),
        {
            "name": Words(pt="dropout", en="dropout"),
            "token": Words(pt="token", en="token"),
            "evaluation": Words(pt="avaliação", en="evaluation"),
            "least": Words(pt="menor", en="least"),
            "greatest": Words(pt="maior", en="greatest"),
        },
    ),
}
CAPTIONS = {
    "curves": Words(
        pt="Bits por byte a cada passo, no treino (tracejado) e na validação (contínuo), sempre em modo de avaliação; "
        "média das sementes, e na validação a faixa da menor à maior",
        en="Bits per byte at each step, on training text (dashed) and on validation text (solid), always in evaluation "
        "mode; mean over the seeds, and for validation a band from the lowest to the highest",
    ),
    "strength": Words(
        pt="O que cada lugar faz conforme p: o teste no passo que a validação escolhe, e a distância entre validação e "
        "treino no último passo; média das sementes",
        en="What each place does as p grows: the test at the step that validation picks, and the gap between "
        "validation and training at the last step; mean over the seeds",
    ),
    "gains": Words(
        pt="Com o p que a validação escolhe para cada lugar: quantos bits por byte o teste custa menos do que sem "
        "dropout, e a distância entre validação e treino no fim, com intervalos de confiança",
        en="With the p that validation picks for each place: how many bits per byte less the test costs than without "
        "dropout, and the gap between validation and training at the end, with confidence intervals",
    ),
    "reported": Words(
        pt="Dropout nos quatro lugares: o texto de treino visto em modo de treino, que é o que um treino mostra, o "
        "mesmo texto em modo de avaliação, e a validação; média das sementes",
        en="Dropout at all four places: the training text in training mode, which is what a training reports, the same "
        "text in evaluation mode, and validation; mean over the seeds",
    ),
    "modes": Words(
        pt="O modelo treinado nos dois modos, no texto de teste: à esquerda, bits por byte com o mesmo p; "
        "ao centro e à direita, quanto as passadas que apagam discordam, conforme p",
        en="The trained model in both modes, on the test text: on the left, bits per byte with the same p; "
        "in the centre and on the right, how much the passes that drop disagree, as p grows",
    ),
    "next_token": Words(
        pt="O próximo token depois de um trecho do teste, com a primeira semente e o p do meio da grade: barras em "
        "modo de avaliação, e um ponto para cada passada em modo de treino",
        en="The next token after a passage of the test part, with the first seed and the middle p of the grid: bars in "
        "evaluation mode, and a dot for each pass in training mode",
    ),
}
AXES = {
    "step": Words(pt="passo", en="step"),
    "bits": BITS,
    "p": Words(pt="p", en="p"),
    "best_test": Words(pt="teste, bits por byte", en="test, bits per byte"),
    "gap": Words(pt="validação menos treino, bits por byte", en="validation minus training, bits per byte"),
    "gain": Words(pt="ganho no teste, bits por byte", en="gain on the test, bits per byte"),
    "same_token": Words(pt="passadas com o mesmo favorito", en="passes with the same favourite"),
    "spread": Words(pt="desvio da probabilidade do favorito", en="spread of the favourite's probability"),
    "probability": Words(pt="probabilidade", en="probability"),
}
LINES = {
    "train_dropping": Words(pt="treino, em modo de treino", en="training text, training mode"),
    "train": Words(pt="treino, em modo de avaliação", en="training text, evaluation mode"),
    "validation": Words(pt="validação, em modo de avaliação", en="validation text, evaluation mode"),
    "evaluation": Words(pt="modo de avaliação", en="evaluation mode"),
    "averaged": Words(pt="média das passadas que apagam", en="passes that drop, averaged"),
    "training": Words(pt="modo de treino, uma passada", en="training mode, one pass"),
}
CAVEATS = [
    Words(
        pt="Uma GPT-2 minúscula num texto muito curto, que ela lê muitas vezes: é onde o sobreajuste se vê. Um "
        "modelo que lê cada texto uma só vez tem pouco a decorar, e isto não diz se o dropout o ajudaria.",
        en="A tiny GPT-2 on a very short text, which it reads many times: that is where over-fitting shows. A "
        "model that reads each text once has little to learn by heart, and this does not tell whether dropout would "
        "help it.",
    ),
    Words(
        pt="Uma arquitetura, uma taxa de aprendizado constante, um número de passos: muito dropout faz aprender mais "
        "devagar, e com mais passos ganharia mais.",
        en="One architecture, one constant learning rate, one number of steps: much dropout slows learning down, and "
        "would gain more from more steps.",
    ),
    Words(
        pt="O mesmo p não é a mesma força em todos os lugares: por isso os ganhos no teste se comparam com o p que a "
        "validação escolhe para cada lugar. As distâncias entre treino e validação e os dois modos se comparam com o "
        "p do meio da grade.",
        en="The same p is not the same strength at every place: gains on the test are therefore compared with the p "
        "that validation picks for each place. Gaps between training and validation, and the two modes, are compared "
        "with the middle p of the grid.",
    ),
    Words(
        pt="As células que faltam na grade, por tempo: outros valores de p, probabilidades diferentes em lugares "
        "diferentes, os outros pares de lugares e os trios.",
        en="Cells left out of the grid, for time: other values of p, different probabilities at different places, the "
        "other pairs of places and the triples.",
    ),
    Words(
        pt="Os intervalos (t de Student) falam da variação entre sementes, isto é, pesos iniciais, ordem das janelas e "
        "lugares apagados; o texto e os seus poucos milhares de bytes de teste são sempre os mesmos.",
        en="The intervals (Student's t) speak of the spread between seeds, that is first weights, order of the windows "
        "and what is dropped; the text and its few thousand bytes of test are always the same.",
    ),
    Words(
        pt="As janelas de avaliação não se sobrepõem, e por isso os bits por byte são mais altos do que os de outros "
        "resultados do projeto sobre o mesmo texto; o último trecho do texto não serviu aqui para escolher nada.",
        en="Evaluation windows do not overlap, which is why bits per byte are higher here than in the project's other "
        "results on the same text; the last passage of the text was used here to choose nothing.",
    ),
    Words(
        pt="Os dois modos se comparam com os últimos pesos, depois do sobreajuste, não com os melhores.",
        en="The two modes are compared by the last weights, after the over-fitting, not by the best ones.",
    ),
    Words(
        pt="Um valor padrão da biblioteca não é o que cada modelo publicado usou ao treinar, e as famílias da tabela "
        "são exemplos, não um censo.",
        en="A default of the library is not what every published model was trained with, and the families in the table "
        "are examples, not a census.",
    ),
    Words(
        pt="As perguntas são várias: entre muitos intervalos de confiança, um ou outro engana por acaso.",
        en="There are several questions: among many confidence intervals one or the other misleads by chance.",
    ),
]
SAMPLE_CAVEAT = Words(
    pt="The Verdict não estava à mão: o texto é o conto que vem com o projeto, em duas línguas, e os números não se "
    "comparam com os de The Verdict.",
    en="The Verdict was not at hand: the text is the story that comes with the project, in two languages, and the "
    "figures do not compare with those of The Verdict.",
)
