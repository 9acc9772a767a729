"""Every sentence a visitor reads, in English, Russian and Chinese, and nowhere else."""

from collections.abc import Callable
from typing import Any

Say = Callable[..., str]
"""Gives a sentence by its key, in one language; keyword arguments fill it in."""


LANGUAGES = {"en": "English", "ru": "Русский", "zh": "中文"}

_SENTENCES: dict[str, tuple[str, str, str]] = {
    # The page
    "title": ("Glyphscope", "Glyphscope", "Glyphscope"),
    "tagline": (
        "Watch meaning appear inside a language model whose word vectors are only pictures.",
        "Смотрите, как смысл рождается внутри языковой модели, чьи векторы слов — просто картинки.",
        "看意义如何在语言模型内部产生——它的词向量只是图片。",
    ),
    "prompt": ("Your text", "Ваш текст", "你的文字"),
    "prompt_hint": (
        "A few words in Russian, Chinese or English",
        "Несколько слов по-русски, по-китайски или по-английски",
        "用俄语、中文或英语写几个词",
    ),
    "generate": ("Write on", "Продолжить", "续写"),
    "look": ("Only look", "Только посмотреть", "只看不写"),
    "stop": ("Stop", "Стоп", "停止"),
    "tour": ("Take the tour", "Экскурсия", "导览"),
    "tour_next": ("Next", "Дальше", "下一步"),
    "tour_back": ("Back", "Назад", "上一步"),
    "tour_close": ("Done", "Готово", "完成"),
    "tour_strip": (
        "A text, cut into tokens. Each one is drawn with a bitmap font, and this picture is all that the model is given "
        "of it. Framed tokens were written by the model.",
        "Текст, разрезанный на токены. Каждый нарисован растровым шрифтом, и эта картинка — всё, что модель о нём знает. "
        "Токены в рамке написала сама модель.",
        "一段切成词元的文字。每个词元都用点阵字体画出，这张图就是模型得到的全部。带框的词元由模型写出。",
    ),
    "tour_glyphs": (
        "The vector of this token is its picture, compressed and never trained; it is decoded back beside the drawing. "
        "Its nearest vectors look like it. They need not mean the same.",
        "Вектор этого токена — его картинка, сжатая и никогда не обучавшаяся; рядом с рисунком она восстановлена. "
        "Ближайшие векторы похожи на вид, а не обязательно по смыслу.",
        "这个词元的向量就是它的图片：经过压缩，从不训练；旁边是还原出的图。最近的向量只是长得像，意思不一定相同。",
    ),
    "tour_experts": (
        "Two experts were trained apart on these pictures, one more on Russian, one more on Chinese. Their logits are "
        "averaged. This is the token before which they differ most: what each of them expects, and what it adds.",
        "Два эксперта учились порознь на этих картинках: один больше по-русски, другой больше по-китайски. Их логиты "
        "усредняются. Перед этим токеном они расходятся сильнее всего: чего ждёт каждый и что он прибавляет.",
        "两位专家在这些图片上分别训练，一位多学俄语，一位多学中文，它们的 logit 取平均。在这个词元之前两者分歧最大：各自期待什么，各贡献多少。",
    ),
    "tour_layers": (
        "Layer 0 is the picture alone. Layer by layer every token moves on from the place that its looks gave it.",
        "Слой 0 — только картинка. Слой за слоем каждый токен уходит с места, которое дал ему внешний вид.",
        "第 0 层只有图片。逐层往上，每个词元都离开由外形决定的位置。",
    ),
    "tour_words": (
        "Words at layer 0 lie by their looks. Do those of one group gather further up? The shares above the maps say how "
        "much, beside chance.",
        "На слое 0 слова лежат по внешнему виду. Собираются ли выше слова одной группы? Доли над картами говорят, "
        "насколько, — рядом со случайностью.",
        "第 0 层的词按外形排列。往上走，同组的词会聚拢吗？图上方的比例给出程度，并与随机水平对照。",
    ),
    "tour_proof": (
        "Is it real? Each curve stands beside its controls: the pictures alone, shuffled labels, an untrained twin. The "
        "sentence below the chart says what holds, and when nothing does.",
        "Настоящее ли это? Каждая кривая стоит рядом с проверками: только картинки, перемешанные метки, необученный "
        "двойник. Фраза под графиком говорит, что подтвердилось, а что нет.",
        "这是真的吗？每条曲线旁都有对照：只看图片、打乱标签、未训练的孪生模型。图下的句子说明什么成立，什么不成立。",
    ),
    "link": ("Copy link", "Копировать ссылку", "复制链接"),
    "link_copied": (
        "Copied, a link that opens this text with these settings:",
        "Скопирована ссылка, которая открывает этот текст с этими настройками:",
        "已复制链接，打开即是这段文字和这些设置：",
    ),
    "link_copy": (
        "Copy this link: it opens this text with these settings.",
        "Скопируйте ссылку: она открывает этот текст с этими настройками.",
        "请复制此链接：打开即是这段文字和这些设置。",
    ),
    "settings": ("Sampling", "Настройки выбора", "采样设置"),
    "temperature": (
        "Temperature (0: always the likeliest)",
        "Температура (0: всегда самый вероятный)",
        "温度（0：总选最可能的）",
    ),
    "top_k": ("Top-k (0: off)", "Top-k (0: выкл.)", "Top-k（0：关）"),
    "top_p": ("Top-p (1: off)", "Top-p (1: выкл.)", "Top-p（1：关）"),
    "seed": ("Seed: same seed, same text", "Зерно: одно зерно — один текст", "种子：相同种子，相同文字"),
    "new_tokens": ("New tokens", "Новых токенов", "新词元数"),
    "language": ("Language", "Язык", "语言"),
    "model_line": (
        "Model on display: {name} ({origin}), {parameters} M trained parameters: {experts} × {layers} layers × {width}, "
        "over {vocabulary} frozen pictures. Experts: {names}. Limits: {context} tokens in all, {characters} characters a prompt, {orders} texts at once and {runs} a minute for a visitor.",
        "На экране модель {name} ({origin}), {parameters} млн обучаемых параметров: {experts} × {layers} слоёв × {width} "
        "над {vocabulary} неизменными картинками. Эксперты: {names}. Пределы: всего {context} токенов, {characters} знаков в запросе, {orders} текста сразу и {runs} в минуту на посетителя.",
        "当前模型：{name}（{origin}），{parameters} 百万可训练参数：{experts} × {layers} 层 × {width}，"
        "基于 {vocabulary} 张冻结的图片。专家：{names}。上限：共 {context} 个词元，提示最多 {characters} 个字符，每位访客同时 {orders} 个文本、每分钟 {runs} 个。",
    ),
    "origin_bundled": (
        "bundled, trained for this page by the published recipe",
        "в комплекте, обучена для этой страницы по опубликованному рецепту",
        "随页面附带，按公开的方法训练",
    ),
    "origin_folder": ("from folder {folder}", "из папки {folder}", "来自文件夹 {folder}"),
    "strip_label": ("The text, token by token", "Текст по токенам", "逐词元显示的文字"),
    "strip_hint": (
        "Each chip is a token: its picture is all the model is given. ◀ {first}, ▶ {second}, · neither; blocks show amounts. "
        "Framed chips were written by the model. Click one.",
        "Каждая фишка — токен; картинка — всё, что получает модель. ◀ больше ждал {first}, ▶ больше ждал {second}, · поровну. "
        "Фишки в рамке написала модель. Нажмите на любую.",
        "每个方块是一个词元，图片就是模型得到的全部信息。◀ {first} 更期待它，▶ {second} 更期待它，· 两者相同。"
        "带框的由模型写出。点一个看看。",
    ),
    "tip_even": (
        "{token}: both experts expected it alike",
        "{token}: оба эксперта ждали его одинаково",
        "{token}：两位专家同样期待",
    ),
    "tip_prefers": (
        "{token}: {expert} gave it {factor} times the probability",
        "{token}: {expert} дал ему вероятность в {factor} раза больше",
        "{token}：{expert} 给出的概率是对方的 {factor} 倍",
    ),
    "tip_unknown": (
        "{token}: a character that the vocabulary lacks",
        "{token}: знак, которого нет в словаре",
        "{token}：词表中没有的字符",
    ),
    "writing": ("Writing…", "Пишу…", "正在书写…"),
    "done": (
        "{count} tokens written, {rate} a second.",
        "Написано токенов: {count}, в секунду: {rate}.",
        "写出 {count} 个词元，每秒 {rate} 个。",
    ),
    "kept": (
        "{count} tokens written before, by this model with this seed, and shown again.",
        "Написано токенов: {count} — раньше, этой же моделью с этим зерном; показано снова.",
        "{count} 个词元，此前由本模型以同一种子写出，再次显示。",
    ),
    "waiting": (
        "Many are writing just now; you are number {place} in line.",
        "Сейчас пишут многие; вы {place}-й в очереди.",
        "现在写的人很多，你排在第 {place} 位。",
    ),
    "crowded": (
        "{limit} texts are waiting already: your text is kept, press the button again in a moment.",
        "Уже ждут {limit} текстов: ваш текст цел, нажмите кнопку ещё раз чуть позже.",
        "已有 {limit} 个文本在等候：你的文字还在，请稍后再按一次按钮。",
    ),
    "hurried": (
        "That was quick: at most {orders} texts at once and {runs} a minute for one visitor. Wait a little and press again.",
        "Слишком быстро: не больше {orders} текстов сразу и {runs} в минуту на посетителя. Подождите немного и нажмите снова.",
        "太快了：每位访客最多同时 {orders} 个文本、每分钟 {runs} 个。请稍等再按。",
    ),
    "first_wait": (
        "Written by the model on this server; the panels that take it apart are on their way.",
        "Написано моделью на этом сервере; панели, которые разбирают текст, уже в пути.",
        "由本服务器上的模型写成；剖析它的各个面板马上就到。",
    ),
    "away": (
        "The connection is lost. Your text is kept; the page comes back by itself.",
        "Связь потеряна. Ваш текст сохранён; страница вернётся сама.",
        "连接已断开。你的文字已保留，页面会自动恢复。",
    ),
    "large_request": (
        "That is more than one request may hold: send a shorter text.",
        "Это больше, чем вмещает один запрос: пришлите текст короче.",
        "超出了单次请求的上限：请发送更短的文字。",
    ),
    "no_such_page": (
        "There is nothing at this address: go back to the page itself.",
        "По этому адресу ничего нет: вернитесь на саму страницу.",
        "这个地址没有内容：请回到主页面。",
    ),
    "panel_failed": (
        "This panel could not be drawn; the others are as they should be. Choose another token or press the button again.",
        "Эту панель нарисовать не удалось; остальные в порядке. Выберите другой токен или нажмите кнопку ещё раз.",
        "这个面板没能画出来，其他面板正常。请换一个词元，或再按一次按钮。",
    ),
    "looked": ("{count} tokens read.", "Прочитано токенов: {count}.", "已读 {count} 个词元。"),
    "filled": (
        "The context of {limit} tokens is full: shorten the prompt to let it write more.",
        "Контекст в {limit} токенов заполнен: сократите запрос, чтобы модель писала дальше.",
        "{limit} 个词元的上下文已满：缩短提示可让它继续写。",
    ),
    "unknown": (
        "Not in the vocabulary, so the model sees <unk>: {characters}",
        "Нет в словаре, модель видит <unk>: {characters}",
        "不在词表中，模型看到的是 <unk>：{characters}",
    ),
    "full_screen": ("Full screen, and back", "На весь экран и обратно", "全屏与返回"),
    "download": ("Save what is drawn here", "Сохранить нарисованное", "保存此处内容"),
    # Glyphs
    "contents": ("The panels", "Панели", "面板"),
    "glyphs_title": ("Glyphs: what the model is given", "Глифы: что получает модель", "字形：模型得到什么"),
    "glyphs_lead": (
        "A token's vector is its drawn picture, compressed, and never trained.",
        "Вектор токена — сжатый рисунок этого токена; он никогда не обучался.",
        "词元的向量就是压缩后的图片，从不训练。",
    ),
    "rendered": ("Drawn from the text", "Нарисовано по тексту", "由文字绘出"),
    "decoded": ("Decoded from the vector", "Восстановлено из вектора", "由向量解码"),
    "difference": ("Difference: × lost, ○ added", "Разница: × потеряно, ○ добавлено", "差别：× 丢失，○ 多出"),
    "neighbours": (
        "Nearest frozen vectors: look-alikes (cosine)",
        "Ближайшие неизменные векторы: похожи на вид (косинус)",
        "最近的冻结向量：长得像的（余弦）",
    ),
    "meanings": (
        "Nearest words in the layers (cosine)",
        "Ближайшие слова в слоях (косинус)",
        "在各层中最近的词（余弦）",
    ),
    "meanings_note": (
        "Out of a list of {count} words, each read at the end of several sentences; this token as it stands in your text.",
        "Из списка в {count} слов, каждое прочитано в конце нескольких предложений; этот токен — как он стоит в вашем тексте.",
        "取自 {count} 个词的词表，每个词在若干句子的末尾读出；此词元则取自你的文字。",
    ),
    "meanings_wait": (
        "The word list is being read; this fills in by itself in a few seconds, with a large model in minutes.",
        "Список слов ещё читается; всё появится само через несколько секунд, с большой моделью — через минуты.",
        "词表正在读取；几秒后会自动显示，大模型则需几分钟。",
    ),
    "characters": ("characters: {count}", "знаков: {count}", "{count} 个字符"),
    "glyph_summary": (
        "{wrong} of 1,024 pixels of “{token}” come back wrong from {components} of its {width} numbers, which keep {kept} "
        "of this picture; the nearest other vector is “{nearest}”.",
        "Из 1024 пикселей «{token}» неверно восстановлено {wrong}: взято чисел {components} из {width}, они хранят {kept} "
        "этой картинки; ближайший другой вектор — «{nearest}».",
        "用 {width} 个数中的 {components} 个还原“{token}”，1024 个像素中错 {wrong} 个，保留这张图片的 {kept}；"
        "最近的其他向量是“{nearest}”。",
    ),
    "glyph_exact": (
        "All 1,024 pixels of “{token}” come back exactly from {components} of its {width} numbers, which keep {kept} of "
        "this picture; the nearest other vector is “{nearest}”.",
        "Все 1024 пикселя «{token}» точно восстановлены: взято чисел {components} из {width}, они хранят {kept} этой "
        "картинки; ближайший другой вектор — «{nearest}».",
        "用 {width} 个数中的 {components} 个完全还原“{token}”的 1024 个像素，保留这张图片的 {kept}；"
        "最近的其他向量是“{nearest}”。",
    ),
    "components": (
        "Numbers used to decode (principal components, largest first)",
        "Сколько чисел взять (главные компоненты, с наибольшей)",
        "用多少个数解码（主成分，从大到小）",
    ),
    "lab": ("Compare two pictures", "Сравнить две картинки", "比较两张图片"),
    "lab_first": ("First text", "Первый текст", "第一段文字"),
    "lab_second": ("Second text", "Второй текст", "第二段文字"),
    "lab_difference": (
        "× only first, ○ only second",
        "× только в первой, ○ только во второй",
        "× 仅第一张，○ 仅第二张",
    ),
    "lab_outside": ("(not a token)", "(не токен)", "（不是词元）"),
    "lab_same": (
        "“{first}” and “{second}” are the same picture, so the model cannot tell them apart by their vectors (cosine {cosine}).",
        "«{first}» и «{second}» — одна и та же картинка: по векторам модель их не различит (косинус {cosine}).",
        "“{first}”和“{second}”是同一张图片，模型无法凭向量区分它们（余弦 {cosine}）。",
    ),
    "lab_layers": (
        "How far the layers pull them apart (1 − cosine, by layer)",
        "Насколько слои их разводят (1 − косинус, по слоям)",
        "各层把它们分开多远（1 − 余弦，逐层）",
    ),
    "lab_in_same": ("{expert}, in the same sentences", "{expert}, в одних и тех же фразах", "{expert}，相同句子"),
    "lab_in_own": ("{expert}, each in its own language", "{expert}, каждый в своём языке", "{expert}，各自语言的句子"),
    "lab_layers_say": (
        "At layer 0 they are {start} apart; at layer {last}, in the same sentences {same}, each in its own language {own} ({expert}).",
        "На слое 0 расстояние {start}; на слое {last} в одних и тех же фразах {same}, каждый в своём языке {own} ({expert}).",
        "第 0 层相距 {start}；第 {last} 层在相同句子中相距 {same}，各自语言中相距 {own}（{expert}）。",
    ),
    "lab_apart": (
        "“{first}” and “{second}” differ in {pixels} of 1,024 pixels; the cosine of their vectors is {cosine}.",
        "«{first}» и «{second}» различаются {pixels} пикселями из 1024; косинус их векторов — {cosine}.",
        "“{first}”和“{second}”的 1024 个像素中有 {pixels} 个不同；向量余弦为 {cosine}。",
    ),
    # Experts
    "experts_title": ("Experts: who expects what", "Эксперты: кто чего ждёт", "专家：谁期待什么"),
    "experts_lead": (
        "After “{token}”: the likeliest next tokens. The one the text goes on with is framed.",
        "После «{token}»: самые вероятные следующие токены. Тот, что в тексте, — в рамке.",
        "在“{token}”之后：最可能的下一个词元。文中实际出现的带框。",
    ),
    "fused": ("Fused", "Вместе", "融合"),
    "sum": ("Sum", "Сумма", "合计"),
    "margin_title": (
        "Why “{winner}” beats “{rival}”: each expert's exact share (nats of log-odds)",
        "Почему «{winner}» обходит «{rival}»: точная доля каждого эксперта (наты лог-шансов)",
        "为何“{winner}”胜过“{rival}”：每位专家的精确份额（对数几率，纳特）",
    ),
    "experts_summary": (
        "“{winner}” leads “{rival}” by {margin} nats, of which {expert} gives {share}; {first} weighs {weight}.",
        "«{winner}» опережает «{rival}» на {margin} ната, из них {expert} даёт {share}; вес {first} — {weight}.",
        "“{winner}”领先“{rival}” {margin} 纳特，其中 {expert} 贡献 {share}；{first} 的权重为 {weight}。",
    ),
    "winner_changed": (
        "At the weights that wrote this text it was “{original}”.",
        "При весах, с которыми писался текст, это был «{original}».",
        "按写这段文字时的权重，本应是“{original}”。",
    ),
    "winner_uncertain": (
        "At this weight a token outside the stored candidates could be ahead.",
        "При этом весе впереди мог бы оказаться токен не из сохранённых.",
        "在此权重下，未保存的词元也可能领先。",
    ),
    "disagreement": ("Disagreement −log BC", "Несогласие −log BC", "分歧 −log BC"),
    "jensen_shannon": ("Jensen–Shannon", "Йенсен — Шеннон", "JS 散度"),
    "spread": (
        "Spread of logits: logits are added, so the wider spread moves the sum more",
        "Разброс логитов: логиты складываются, и больший разброс сильнее двигает сумму",
        "logit 标准差：logit 相加，离散大的一方影响更大",
    ),
    "parts_title": (
        "Every fused candidate: each expert's part adds up to its lead; what each expert adds",
        "Каждый вариант: доли экспертов складываются в его перевес; что добавляет каждый",
        "每个候选：两位专家的份额之和即为其领先；各自增加了多少",
    ),
    "parts_lead": ("lead ({unit})", "перевес ({unit})", "领先（{unit}）"),
    "parts_over": ("over {token}", "над {token}", "相对 {token}"),
    "parts_adds": ("{expert} adds (nats)", "{expert} добавляет (наты)", "{expert} 增加（纳特）"),
    "probability": ("probability", "вероятность", "概率"),
    "most_disputed": (
        "Most disputed, in order (nats): click one",
        "Самые спорные, по порядку (наты): нажмите",
        "分歧最大处，依次排列（纳特）：点一个",
    ),
    "nats": ("nats", "нат", "纳特"),
    "bits": ("bits", "бит", "比特"),
    "weight": (
        "Weight of {first} in the fusion (0: only {second}, 1: only {first}); re-scored from stored logits",
        "Вес {first} в сумме (0: только {second}, 1: только {first}); пересчёт по сохранённым логитам",
        "{first} 在融合中的权重（0：只有 {second}，1：只有 {first}）；用已存的 logit 重算",
    ),
    "disagreement_title": (
        "Where they part: disagreement before each token",
        "Где они расходятся: несогласие перед каждым токеном",
        "分歧在哪里：每个词元之前的分歧",
    ),
    "disagreement_lead": (
        "Height: how far the two predictions were apart just before the token (Bhattacharyya distance). Click a peak.",
        "Высота: насколько расходились два прогноза прямо перед токеном (расстояние Бхаттачарьи). Нажмите на пик.",
        "高度：在该词元之前两份预测相差多远（巴氏距离）。点击峰值。",
    ),
    "disagreement_summary": (
        "The experts part most before “{token}” ({value} nats, mean {mean}); the text's mean log-probability a token is "
        "{first_mean} under {first}, {second_mean} under {second}, {fused_mean} fused.",
        "Больше всего эксперты расходятся перед «{token}» ({value} ната, среднее {mean}); средний логарифм вероятности "
        "токена текста: {first_mean} у {first}, {second_mean} у {second}, {fused_mean} вместе.",
        "专家在“{token}”之前分歧最大（{value} 纳特，平均 {mean}）；每词元平均对数概率：{first} {first_mean}，"
        "{second} {second_mean}，融合 {fused_mean}。",
    ),
    "log_prob_lines": (
        "Log-probability of each token: top 0, foot −{deepest} nats",
        "Логарифм вероятности каждого токена: вверху 0, внизу −{deepest} нат",
        "每个词元的对数概率：顶部 0，底部 −{deepest} 纳特",
    ),
    "rank_lines": (
        "Rank of each token: top 1, foot {worst} (logarithmic)",
        "Ранг каждого токена: вверху 1, внизу {worst} (логарифмически)",
        "每个词元的名次：顶部 1，底部 {worst}（对数刻度）",
    ),
    "measure": ("Colour of the chips", "Цвет фишек", "方块颜色"),
    "measure_preference": ("Who expected it more", "Кто больше ждал", "谁更期待"),
    "measure_balance": ("Whose doing the winner is", "Чья заслуга победитель", "胜者归功于谁"),
    "measure_disagreement": ("Disagreement −log BC (nats)", "Несогласие −log BC (наты)", "分歧 −log BC（纳特）"),
    "measure_jensen_shannon": ("Jensen–Shannon (bits)", "Йенсен — Шеннон (биты)", "JS 散度（比特）"),
    "measure_overlap": ("Shared top 10 (share)", "Общее в топ-10 (доля)", "前 10 重合（比例）"),
    "tip_balance": (
        "{token}: before it, the likeliest token leads mostly thanks to {expert} (balance {value})",
        "{token}: перед ним самый вероятный токен впереди больше благодаря {expert} (перевес {value})",
        "{token}：在它之前，最可能的词元领先主要归功于 {expert}（差额 {value}）",
    ),
    "fusion": ("Fusion", "Слияние", "融合方式"),
    "fusion_logits": ("Mean of logits (as published)", "Среднее логитов (как в статье)", "logit 平均（论文做法）"),
    "fusion_probabilities": ("Mean of probabilities", "Среднее вероятностей", "概率平均"),
    "fusion_gate": (
        "Gate by the likelihood of the text so far",
        "Вес по правдоподобию текста до этого места",
        "按前文似然加权",
    ),
    "margin_title_probability": (
        "Why “{winner}” beats “{rival}”: each expert's exact share (probability)",
        "Почему «{winner}» обходит «{rival}»: точная доля каждого эксперта (вероятность)",
        "为何“{winner}”胜过“{rival}”：每位专家的精确份额（概率）",
    ),
    "experts_summary_probability": (
        "“{winner}” leads “{rival}” by {margin} in probability, of which {expert} gives {share}; {first} weighs {weight}.",
        "«{winner}» опережает «{rival}» на {margin} вероятности, из них {expert} даёт {share}; вес {first} — {weight}.",
        "“{winner}”领先“{rival}” {margin}（概率），其中 {expert} 贡献 {share}；{first} 的权重为 {weight}。",
    ),
    "winners_changed": (
        "Fused like this, another token would lead at {count} places of the text.",
        "При таком слиянии в тексте в {count} местах впереди был бы другой токен.",
        "这样融合时，文中有 {count} 处会由另一个词元领先。",
    ),
    "alone": (
        "What would each write alone, from the selected token on?",
        "Что написал бы каждый в одиночку после выбранного токена?",
        "从所选词元起，各自单独会写什么？",
    ),
    "alone_title": ("Each alone", "Каждый в одиночку", "各自单独"),
    "alone_lead": (
        "The text up to the selected token, continued three times with the same sampling and seed. This runs the model.",
        "Текст до выбранного токена, продолженный трижды с теми же настройками и зерном. Здесь модель работает заново.",
        "从开头到所选词元的文字，用相同采样与种子续写三次。这会重新运行模型。",
    ),
    "alone_summary": (
        "{count} different continuations of one beginning.",
        "Разных продолжений одного начала: {count}.",
        "同一开头得到 {count} 种不同续写。",
    ),
    "alone_same": (
        "Both experts and their fusion write the same here.",
        "Здесь оба эксперта и их слияние пишут одно и то же.",
        "此处两位专家及其融合写出相同内容。",
    ),
    # Layers
    "layers_title": ("Layers: from picture to meaning", "Слои: от картинки к смыслу", "层：从图片到意义"),
    "layers_lead": (
        "Each point is a token of the text. Layer 0 is its picture alone; move the slider to follow it through each expert.",
        "Каждая точка — токен текста. Слой 0 — только картинка; двигайте ползунок и следите за точкой в каждом эксперте.",
        "每个点是文中的一个词元。第 0 层只有图片；移动滑块，看它穿过每位专家。",
    ),
    "layer_slider": ("Layer", "Слой", "层"),
    "layer_pictures": ("Layer 0: pictures only", "Слой 0: только картинки", "第 0 层：只有图片"),
    "layer_name": ("Layer {layer} of {last}", "Слой {layer} из {last}", "第 {layer} 层（共 {last} 层）"),
    "play": ("Play the layers", "Проиграть слои", "播放各层"),
    "plot_label": (
        "Tokens in the two main directions of expert {expert}",
        "Токены в двух главных направлениях эксперта {expert}",
        "词元在专家 {expert} 两个主方向上的位置",
    ),
    "shown": (
        "Layer {layer}: this view shows {share} of the spread; trustworthiness {trust}",
        "Слой {layer}: здесь видно {share} разброса; достоверность соседства {trust}",
        "第 {layer} 层：此图显示 {share} 的方差；近邻可信度 {trust}",
    ),
    "ribbon": (
        "Neighbours that change from layer to layer (%)",
        "Сколько соседей меняется от слоя к слою (%)",
        "逐层改变的近邻（%）",
    ),
    "ribbon_cell": ("From layer {before} to {after}", "От слоя {before} к {after}", "从第 {before} 层到第 {after} 层"),
    "neither": ("Neither", "Поровну", "两者相同"),
    "dots": ("Pictures or dots", "Картинки или точки", "图片或圆点"),
    "script_latin": ("Latin", "Латиница", "拉丁字母"),
    "script_cyrillic": ("Cyrillic", "Кириллица", "西里尔字母"),
    "script_han": ("Han", "Иероглифы", "汉字"),
    "script_other": ("Other", "Прочее", "其他"),
    "layers_summary": (
        "From layer 0 to layer {last}, {first_changed} of each token's nearest tokens in this text change in {first}, "
        "{second_changed} in {second}: measured in all dimensions, not in this picture.",
        "От слоя 0 до слоя {last} у каждого токена меняется {first_changed} ближайших соседей по тексту в {first} "
        "и {second_changed} в {second}: измерено во всех измерениях, а не на этом рисунке.",
        "从第 0 层到第 {last} 层，每个词元在文中的近邻在 {first} 中改变了 {first_changed}，在 {second} 中改变了 {second_changed}："
        "在全部维度上测得，而非此图。",
    ),
    "layers_few": (
        "Write at least three tokens to see them move through the layers.",
        "Напишите хотя бы три токена, чтобы увидеть их путь через слои.",
        "至少写三个词元，才能看到它们穿过各层。",
    ),
    "lens_title": (
        "Logit lens: what each layer would say next",
        "Логит-линза: что сказал бы каждый слой",
        "Logit 透镜：每一层会接着说什么",
    ),
    "lens_lead": (
        "Every layer read as if it were the last; darker is more probable. Early layers are read through a head not made for them.",
        "Каждый слой прочитан так, будто он последний; темнее — вероятнее. Ранние слои читает голова, обученная не на них.",
        "把每一层当作最后一层来读；越深越可能。早期层由并非为其训练的输出头读取。",
    ),
    "lens_part": (
        "The model is large: of positions 0 to {last} those from {first} to {end} are read, around the chosen token.",
        "Модель большая: из позиций 0–{last} прочитаны {first}–{end}, вокруг выбранного токена.",
        "模型较大：位置 0–{last} 中只读取了所选词元附近的 {first}–{end}。",
    ),
    "lens_rows": ("read", "прочитано", "已读"),
    "lens_then": ("then", "дальше", "随后"),
    "start": ("start", "начало", "开头"),
    "lens_summary": (
        "On average the best guess is the final one from layer {first_layer} of {last} on in {first}, {second_layer} in {second}.",
        "В среднем лучшая догадка становится окончательной с слоя {first_layer} из {last} в {first} и {second_layer} в {second}.",
        "平均而言，最佳猜测在 {first} 中从第 {first_layer} 层（共 {last} 层）起即为最终结果，在 {second} 中从第 {second_layer} 层起。",
    ),
    "depth_title": (
        "One prediction, layer by layer: after “{token}”",
        "Один прогноз по слоям: после «{token}»",
        "逐层看一次预测：在“{token}”之后",
    ),
    "depth_lead": (
        "Click a cell above to see what that layer would say; click a candidate to follow it. Read from stored hidden states.",
        "Нажмите на клетку выше, чтобы увидеть, что сказал бы слой; нажмите на вариант, чтобы следить за ним. "
        "Прочитано по сохранённым скрытым состояниям.",
        "点击上方格子看该层会说什么；点击候选以跟踪它。由已存的隐藏状态读出。",
    ),
    "depth_options": (
        "Expert {expert}, layer {layer} would say",
        "Эксперт {expert}, слой {layer}, сказал бы",
        "专家 {expert} 第 {layer} 层会说",
    ),
    "depth_probability": ("Probability of “{token}”", "Вероятность «{token}»", "“{token}”的概率"),
    "depth_rank": ("Rank of “{token}” (top: 1)", "Ранг «{token}» (вверху 1)", "“{token}”的名次（顶部为 1）"),
    "depth_entropy": ("Entropy (bits)", "Энтропия (биты)", "熵（比特）"),
    "depth_divergence": ("KL from the last layer (bits)", "KL от последнего слоя (биты)", "与最后一层的 KL（比特）"),
    "depth_scripts": ("Probability by script (%)", "Вероятность по письменностям (%)", "各文字的概率（%）"),
    "depth_summary": (
        "“{token}” as the best guess: in {first} {first_layer}; in {second} {second_layer}.",
        "«{token}» как лучшая догадка: у {first} {first_layer}; у {second} {second_layer}.",
        "“{token}”作为最佳猜测：{first} {first_layer}，{second} {second_layer}。",
    ),
    "depth_from": ("from layer {layer} on", "начиная со слоя {layer}", "从第 {layer} 层起"),
    "depth_never": ("not at the last layer", "на последнем слое — нет", "最后一层不是"),
    # Words
    "words_title": ("Words: where meaning gathers", "Слова: где собирается смысл", "词语：意义在哪里汇聚"),
    "words_lead": (
        "Each point is a word, read at the end of several sentences. At layer 0 words lie by looks; follow them to meaning. "
        "Click a word for its nearest words, a group to single it out.",
        "Каждая точка — слово, прочитанное в конце нескольких предложений. На слое 0 слова лежат по виду; проследите их путь к смыслу. "
        "Нажмите на слово, чтобы увидеть ближайшие, на группу — чтобы выделить её.",
        "每个点是一个词，在若干句子的末尾读出。第 0 层按外形排列；看它们走向意义。点击词语看它的近邻，点击类别可单独突出。",
    ),
    "words_plot": (
        "{count} words in expert {expert}, by layer",
        "Слов: {count}, эксперт {expert}, по слоям",
        "{count} 个词在专家 {expert} 各层中的位置",
    ),
    "words_summary": (
        "Of a word's {k} nearest words (all dimensions), this share belongs to its own group: {first} {first_start} at layer 0, "
        "{first_end} at layer {last}; {second} {second_start} and {second_end}; by chance {chance} ({count} words, {groups} groups).",
        "Из {k} ближайших слов (во всех измерениях) к своей группе относятся: у {first} {first_start} на слое 0 и {first_end} "
        "на слое {last}; у {second} {second_start} и {second_end}; случайно — {chance} (слов: {count}, групп: {groups}).",
        "每个词最近的 {k} 个词（全部维度）中属于同组的比例：{first} 第 0 层 {first_start}，第 {last} 层 {first_end}；"
        "{second} {second_start} 与 {second_end}；随机为 {chance}（{count} 个词，{groups} 组）。",
    ),
    "words_purity": (
        "Nearest {k} of the same group by layer (%), by chance {chance}",
        "Соседи из той же группы по слоям (%, {k} ближайших), случайно {chance}",
        "各层中最近 {k} 个词的同组比例（%），随机为 {chance}",
    ),
    "words_around": (
        "The same for the token before each word (%): what the sentences tell by themselves",
        "То же для токена перед каждым словом (%): что говорят сами предложения",
        "对每个词之前的词元所测（%）：句子本身透露的部分",
    ),
    "words_around_says": (
        "The sentences tell part of it: the token before the word gives {list} at layer {last}.",
        "Часть этого говорят сами предложения: токен перед словом даёт {list} на слое {last}.",
        "其中一部分来自句子本身：词前的词元在第 {last} 层已有 {list}。",
    ),
    "words_near": (
        "Nearest words of “{word}” by layer, in all dimensions (● same group)",
        "Ближайшие слова к «{word}» по слоям, во всех измерениях (● та же группа)",
        "“{word}”在各层中最近的词，按全部维度（● 同组）",
    ),
    "words_en": ("English", "Английский", "英语"),
    "words_ru": ("Russian", "Русский", "俄语"),
    "words_zh": ("Chinese", "Китайский", "中文"),
    "umap_shown": (
        "Layer {layer}: UMAP, aligned over the layers; distances are not to scale; trustworthiness {trust}",
        "Слой {layer}: UMAP, выровнен по слоям; расстояния не в масштабе; достоверность соседства {trust}",
        "第 {layer} 层：UMAP，逐层对齐；距离不成比例；近邻可信度 {trust}",
    ),
    "pick_layout": ("Map", "Карта", "布局"),
    "layout_pca": ("PCA, aligned", "PCA, выровнен", "PCA（对齐）"),
    "layout_umap": ("UMAP, aligned", "UMAP, выровнен", "UMAP（对齐）"),
    "pick_colour": ("Colour by", "Цвет по", "颜色按"),
    "colour_concept": ("group", "группе", "类别"),
    "colour_language": ("language and script", "языку и письму", "语言与文字"),
    "colour_script": ("script", "письменности", "文字"),
    "colour_expert": ("who expected it more", "кто больше ждал", "谁更期待"),
    "pick_mode": ("Show", "Показать", "显示"),
    "mode_words": ("words", "слова", "词语"),
    "mode_dots": ("marks", "значки", "符号"),
    "mode_pictures": ("pictures", "картинки", "图片"),
    "pick_word": ("Word", "Слово", "词"),
    "word_set": ("Word set", "Набор слов", "词组"),
    "word_set_kept_en": (
        "Five groups kept out of every decision, English",
        "Пять групп, не влиявших ни на одно решение, английский",
        "未参与任何决策的五个类别，英语",
    ),
    "word_set_kept_ru": (
        "Five groups kept out of every decision, Russian",
        "Пять групп, не влиявших ни на одно решение, русский",
        "未参与任何决策的五个类别，俄语",
    ),
    "word_set_kept_zh": (
        "Five groups kept out of every decision, Chinese",
        "Пять групп, не влиявших ни на одно решение, китайский",
        "未参与任何决策的五个类别，中文",
    ),
    "word_set_nouns_en": (
        "Nine groups of nouns, English",
        "Девять групп существительных, английский",
        "九个名词类别，英语",
    ),
    "word_set_nouns_ru": (
        "Nine groups of nouns, Russian",
        "Девять групп существительных, русский",
        "九个名词类别，俄语",
    ),
    "word_set_nouns_zh": (
        "Nine groups of nouns, Chinese",
        "Девять групп существительных, китайский",
        "九个名词类别，中文",
    ),
    "word_set_few_en": ("Four groups, English", "Четыре группы, английский", "四个类别，英语"),
    "word_set_few_ru": ("Four groups, Russian", "Четыре группы, русский", "四个类别，俄语"),
    "word_set_few_zh": ("Four groups, Chinese", "Четыре группы, китайский", "四个类别，中文"),
    "word_set_mixed": (
        "Four groups in three languages",
        "Четыре группы на трёх языках",
        "四个类别，三种语言",
    ),
    "word_set_en": ("Fourteen groups, English", "Четырнадцать групп, английский", "十四个类别，英语"),
    "word_set_ru": ("Fourteen groups, Russian", "Четырнадцать групп, русский", "十四个类别，俄语"),
    "word_set_zh": ("Fourteen groups, Chinese", "Четырнадцать групп, китайский", "十四个类别，中文"),
    "own_words": ("Your own words", "Свои слова", "你自己的词"),
    "own_text": (
        "One group a line, words parted by spaces; at most {limit} words",
        "По группе на строку, слова через пробел; не больше {limit} слов",
        "每行一组，词间用空格隔开；最多 {limit} 个词",
    ),
    "own_hint": (
        "fruit: apple банан 苹果\nweather: rain снег 风",
        "фрукты: яблоко banana 苹果\nпогода: дождь snow 风",
        "水果：苹果 apple банан\n天气：风 rain снег",
    ),
    "own_show": ("Show my words", "Показать мои слова", "显示我的词"),
    "umap": ("Add a UMAP map", "Добавить карту UMAP", "加上 UMAP 图"),
    "cancel": ("Cancel", "Отменить", "取消"),
    "words_reading": (
        "Reading the words in both experts…",
        "Читаю слова обоими экспертами…",
        "正在用两位专家读取这些词…",
    ),
    "words_umap": (
        "Computing UMAP, expert by expert; the first one after a start takes up to a minute…",
        "Считаю UMAP, эксперт за экспертом; первый раз после запуска — до минуты…",
        "正在逐位专家计算 UMAP；启动后第一次最多需一分钟…",
    ),
    "concept_colours": ("colours", "цвета", "颜色"),
    "concept_numbers": ("numbers", "числа", "数字"),
    "concept_animals": ("animals", "животные", "动物"),
    "concept_family": ("family", "семья", "家人"),
    "concept_body": ("body", "тело", "身体"),
    "concept_food": ("food", "еда", "食物"),
    "concept_time": ("time", "время", "时间"),
    "concept_nature": ("nature", "природа", "自然"),
    "concept_places": ("places", "места", "地方"),
    "concept_countries": ("countries", "страны", "国家"),
    "concept_clothes": ("clothes", "одежда", "衣服"),
    "concept_people": ("people", "люди", "人物"),
    "concept_actions": ("actions", "действия", "动作"),
    "concept_furniture": ("furniture", "обстановка", "家具"),
    "concept_transport": ("transport", "транспорт", "交通"),
    "concept_reading": ("reading", "чтение и письмо", "读写"),
    "concept_music": ("music and shows", "музыка и зрелища", "音乐与演出"),
    "concept_qualities": ("qualities", "свойства", "性质"),
    "concept_feelings": ("feelings", "чувства", "感受"),
    # Proof
    "proof_title": (
        "Proof: does meaning arise in the layers?",
        "Доказательство: рождается ли смысл в слоях?",
        "证明：意义是否在各层中产生？",
    ),
    "proof_lead": (
        "One measure of meaning by layer, beside everything that would expose a false claim: the pictures alone (layer 0), "
        "shuffled labels, an untrained twin over the same pictures.",
        "Мера смысла по слоям рядом со всем, что разоблачило бы ложный вывод: одни картинки (слой 0), перемешанные метки, "
        "необученный двойник на тех же картинках.",
        "逐层的意义度量，旁边是一切能揭穿假象的对照：只有图片（第 0 层）、打乱的标签、同样图片上的未训练模型。",
    ),
    "proof_summary": (
        "Shaded: 95 % of bootstrap draws over words, and 95 % of shuffled labels; a vertical line marks the first layer "
        "whose lower bound exceeds every control. In real sentences the words before tell the group too: that is why the token before the word is a control there. "
        "The twins with a trained table saw far less text (see Twins) and are no control.",
        "Закрашено: 95 % бутстреп-выборок слов и 95 % перемешиваний меток; вертикаль — первый слой, чья нижняя граница "
        "выше всех контролей. В настоящих предложениях группу выдают и слова перед словом: поэтому токен перед ним — тоже контроль. "
        "Близнецы с обучаемой таблицей видели намного меньше текста (см. «Близнецы») и контролем не служат.",
        "阴影：对词自助抽样的 95 % 区间，以及打乱标签的 95 % 区间；竖线标出下界首次超过所有对照的层。"
        "在真实句子中，词前的文字也会透露类别，因此词前的词元也是对照。可训练表的孪生模型所见文本少得多（见“孪生模型”），不作为对照。",
    ),
    "proof_none": (
        "This model ships no curves: press the button to measure the words on the map.",
        "У этой модели нет готовых кривых: нажмите кнопку, чтобы измерить слова на карте.",
        "此模型不附带曲线：按按钮测量图上的词。",
    ),
    "proof_subject": (
        "{set}: {count} words, {groups} groups; {read}",
        "{set}: слов {count}, групп {groups}; {read}",
        "{set}：{count} 个词，{groups} 组；{read}",
    ),
    "proof_read": (
        "{text} read in sentences of held-out text, {carriers} in short carrier sentences",
        "{text} прочитано в предложениях отложенного текста, {carriers} — в коротких фразах",
        "{text} 个在保留文本的句子中读出，{carriers} 个在短句中读出",
    ),
    "proof_set": ("Measured words", "Измеренные слова", "所测词语"),
    "proof_set_en": ("Fourteen groups, English", "Четырнадцать групп, английский", "十四个类别，英语"),
    "proof_set_ru": ("Fourteen groups, Russian", "Четырнадцать групп, русский", "十四个类别，俄语"),
    "proof_set_zh": ("Fourteen groups, Chinese", "Четырнадцать групп, китайский", "十四个类别，中文"),
    "proof_set_text_en": (
        "The same in real sentences, English",
        "Они же в настоящих предложениях, английский",
        "同样的词在真实句子中，英语",
    ),
    "proof_set_text_ru": (
        "The same in real sentences, Russian",
        "Они же в настоящих предложениях, русский",
        "同样的词在真实句子中，俄语",
    ),
    "proof_set_text_zh": (
        "The same in real sentences, Chinese",
        "Они же в настоящих предложениях, китайский",
        "同样的词在真实句子中，中文",
    ),
    "proof_set_even_en": (
        "Words of four to six letters, English",
        "Слова из четырёх–шести букв, английский",
        "四至六个字母的词，英语",
    ),
    "proof_set_even_ru": (
        "Words of four to six letters, Russian",
        "Слова из четырёх–шести букв, русский",
        "四至六个字母的词，俄语",
    ),
    "proof_set_even_zh": ("Words of one character, Chinese", "Слова из одного знака, китайский", "单字词，中文"),
    "proof_set_kept_en": (
        "Five groups kept out of every decision, English",
        "Пять групп, не влиявших ни на одно решение, английский",
        "未参与任何决策的五个类别，英语",
    ),
    "proof_set_kept_ru": (
        "Five groups kept out of every decision, Russian",
        "Пять групп, не влиявших ни на одно решение, русский",
        "未参与任何决策的五个类别，俄语",
    ),
    "proof_set_kept_zh": (
        "Five groups kept out of every decision, Chinese",
        "Пять групп, не влиявших ни на одно решение, китайский",
        "未参与任何决策的五个类别，中文",
    ),
    "proof_set_second_en": (
        "A second list nothing was chosen by: twelve groups of nouns, English",
        "Второй список, по которому ничего не выбирали: двенадцать групп существительных, английский",
        "从未用于任何选择的第二词表：十二个名词类别，英语",
    ),
    "proof_set_second_ru": (
        "A second list nothing was chosen by: twelve groups of nouns, Russian",
        "Второй список, по которому ничего не выбирали: двенадцать групп существительных, русский",
        "从未用于任何选择的第二词表：十二个名词类别，俄语",
    ),
    "proof_set_second_zh": (
        "A second list nothing was chosen by: twelve groups of nouns, Chinese",
        "Второй список, по которому ничего не выбирали: двенадцать групп существительных, китайский",
        "从未用于任何选择的第二词表：十二个名词类别，中文",
    ),
    "proof_set_nouns_en": (
        "Nouns only: nine of the fourteen groups, English",
        "Только существительные: девять из четырнадцати групп, английский",
        "仅名词：十四个类别中的九个，英语",
    ),
    "proof_set_nouns_ru": (
        "Nouns only: nine of the fourteen groups, Russian",
        "Только существительные: девять из четырнадцати групп, русский",
        "仅名词：十四个类别中的九个，俄语",
    ),
    "proof_set_nouns_zh": (
        "Nouns only: nine of the fourteen groups, Chinese",
        "Только существительные: девять из четырнадцати групп, китайский",
        "仅名词：十四个类别中的九个，中文",
    ),
    "proof_set_map": ("The words on the map", "Слова на карте", "图上的词"),
    "probe": ("Measure the words on the map", "Измерить слова на карте", "测量图上的词"),
    "words_probing": (
        "Measuring in every layer of both experts and of an untrained twin…",
        "Измеряю во всех слоях обоих экспертов и необученного двойника…",
        "正在测量两位专家和未训练模型的每一层…",
    ),
    "pick_measure": ("Measure", "Мера", "度量"),
    "measure_of_purity": (
        "Neighbours of the same group (purity of {k})",
        "Соседи из той же группы (чистота, k = {k})",
        "同组近邻（{k} 近邻纯度）",
    ),
    "measure_of_purity_apart": (
        "The same, words that share letters left out",
        "То же без слов с общими буквами",
        "同上，排除字母相同的词",
    ),
    "measure_of_auc": (
        "Pairs of one group nearer than other pairs (AUC), no shared letters",
        "Пары одной группы ближе прочих (AUC), без общих букв",
        "同组词对比其他更近（AUC），无共同字母",
    ),
    "measure_of_rsa": (
        "Similarity structure follows the groups (RSA, Spearman)",
        "Структура сходства следует группам (RSA, Спирмен)",
        "相似结构与类别一致（RSA，Spearman）",
    ),
    "measure_of_rsa_given": (
        "The same, given the pictures (partial correlation)",
        "То же за вычетом картинок (частная корреляция)",
        "同上，扣除图片影响（偏相关）",
    ),
    "measure_of_memory": (
        "Picture memory: similarity follows the pictures of the same tokens (Spearman)",
        "Память о картинке: сходство следует картинкам тех же токенов (Спирмен)",
        "图片记忆：相似性与同一词元的图片一致（Spearman）",
    ),
    "measure_of_selectivity": (
        "Linear probe on unseen words, less that on random labels (accuracy)",
        "Линейная проба на новых словах минус на случайных метках (точность)",
        "线性探针在新词上的准确率减随机标签",
    ),
    "measure_of_effective_rank": ("Effective rank", "Эффективный ранг", "有效秩"),
    "measure_of_dimension": (
        "Intrinsic dimension (TwoNN)",
        "Внутренняя размерность (TwoNN)",
        "内在维度（TwoNN）",
    ),
    "untrained": ("untrained twin", "необученный двойник", "未训练模型"),
    "unfrozen": (
        "{expert}'s twin with a trained table",
        "близнец {expert} с обучаемой таблицей",
        "{expert} 的可训练表孪生模型",
    ),
    "context": (
        "{expert}, the token before the word",
        "{expert}, токен перед словом",
        "{expert}，词前的词元",
    ),
    "says_context": (
        ", the tokens before the words reach {value}",
        ", токены перед словами — до {value}",
        "，词前的词元最高 {value}",
    ),
    "shuffled": ("shuffled labels", "перемешанные метки", "打乱的标签"),
    "emerges": ("{expert}: layer {layer}", "{expert}: слой {layer}", "{expert}：第 {layer} 层"),
    "says_best": (
        "k = {k} neighbours: {chance} by chance, {best} at the most.",
        "Число соседей k = {k}: случайно {chance}, не больше {best}.",
        "近邻数 k = {k}：随机为 {chance}，最高 {best}。",
    ),
    "proof_classes": (
        "Word classes (numbers, colours, countries, actions, feelings) among the groups change purity above chance at layer {last}, "
        "words that share letters left out, by {list} (fourteen groups {all}; the nine of nouns {nouns}).",
        "Классы слов (числа, цвета, страны, действия, чувства) среди групп меняют чистоту сверх случайной на слое {last}, "
        "без слов с общими буквами, на {list} (четырнадцать групп — {all}; девять групп существительных — {nouns}).",
        "类别中的词类（数字、颜色、国家、动作、感受）使第 {last} 层高于随机的纯度（排除字母相同的词）变化：{list}"
        "（十四个类别为 {all}；九个名词类别为 {nouns}）。",
    ),
    "says_plain": (
        "{expert}: {start} at layer 0, {end} at layer {last}; the untrained twin ends at {untrained}.",
        "{expert}: {start} на слое 0, {end} на слое {last}; необученный двойник — {untrained}.",
        "{expert}：第 0 层 {start}，第 {last} 层 {end}；未训练模型最终为 {untrained}。",
    ),
    "says_from": (
        "{expert}: {start} at layer 0, {end} at layer {last}, above every control from layer {layer} on (interval {earliest}–{layer}); "
        "the untrained twin ends at {untrained}, shuffled labels reach {shuffled}.",
        "{expert}: {start} на слое 0, {end} на слое {last}, выше всех контролей начиная со слоя {layer} (интервал {earliest}–{layer}); "
        "необученный двойник — {untrained}, перемешанные метки — до {shuffled}.",
        "{expert}：第 0 层 {start}，第 {last} 层 {end}，从第 {layer} 层（区间 {earliest}–{layer}）起超过所有对照；"
        "未训练模型为 {untrained}，打乱标签最高 {shuffled}。",
    ),
    "says_none": (
        "{expert}: {start} at layer 0, {end} at layer {last}: no effect beyond the controls (untrained twin {untrained}, "
        "shuffled labels up to {shuffled}).",
        "{expert}: {start} на слое 0, {end} на слое {last}: эффекта сверх контролей нет (необученный двойник {untrained}, "
        "перемешанные метки до {shuffled}).",
        "{expert}：第 0 层 {start}，第 {last} 层 {end}：没有超出对照的效应（未训练模型 {untrained}，打乱标签最高 {shuffled}）。",
    ),
    "cka_title": (
        "How alike the experts' layers are (CKA, English words)",
        "Насколько похожи слои экспертов (CKA, английские слова)",
        "两位专家各层的相似度（CKA，英语词）",
    ),
    "cka_says": (
        "Layer 0 is one frozen table for both ({first}); trained apart, their last layers are at {last}.",
        "Слой 0 — общая неизменная таблица ({first}); обученные порознь, последние слои сходны на {last}.",
        "第 0 层是共用的冻结表（{first}）；分别训练后，最后一层的相似度为 {last}。",
    ),
    "retrieval_title": (
        "Is a word's translation its nearest word? (retrieval@1, %)",
        "Ближе ли всего перевод слова? (retrieval@1, %)",
        "译词是否最近？（retrieval@1，%）",
    ),
    "retrieval_says": (
        "At best {best} % of translations are found, by chance {chance} %.",
        "В лучшем случае найдено {best} % переводов, случайно — {chance} %.",
        "最多找到 {best} % 的译词，随机为 {chance} %。",
    ),
    # Models that are not ours
    "model": ("Model", "Модель", "模型"),
    "stage_bytes": (
        "Fetching {model}; the page stays as it is meanwhile…",
        "Загружаю файлы {model}; страница пока работает как есть…",
        "正在获取 {model} 的文件；页面在此期间照常可用…",
    ),
    "stage_weights": (
        "{model}: building the network and its weights…",
        "{model}: собираю сеть и её веса…",
        "{model}：正在构建网络并装入权重…",
    ),
    "stage_anatomy": (
        "{model}: finding experts, layers and heads by what they do…",
        "{model}: ищу экспертов, слои и головы по тому, что они делают…",
        "{model}：正在按行为寻找专家、层和输出头…",
    ),
    "stage_proof": (
        "{model}: comparing every hidden state and logit with the model's own…",
        "{model}: сравниваю каждое скрытое состояние и каждый логит с собственными числами модели…",
        "{model}：正在把每个隐藏状态和 logit 与模型自身的数值比较…",
    ),
    "stage_arrange": (
        "{model}: laying the weights out for this processor…",
        "{model}: раскладываю веса под этот процессор…",
        "{model}：正在按本机处理器重排权重…",
    ),
    "stage_int8": (
        "{model}: cutting weights to int8…",
        "{model}: перевожу веса в int8…",
        "{model}：正在把权重转为 int8…",
    ),
    "stage_pictures": (
        "{model}: drawing every token and recovering the pictures behind the vectors…",
        "{model}: рисую каждый токен и восстанавливаю картинки за векторами…",
        "{model}：正在绘制每个词元，并从向量恢复图片…",
    ),
    "stage_opening": (
        "{model}: writing the first example…",
        "{model}: пишу первый пример…",
        "{model}：正在写第一个例子…",
    ),
    "model_line_foreign": (
        "Model on display: {name} ({origin}), {parameters} M trained parameters: {experts} × {layers} layers × {width}, "
        "over a table of {vocabulary} tokens. Experts: {names}. Limits: {context} tokens in all, {characters} characters a prompt, {orders} texts at once and {runs} a minute for a visitor.",
        "На экране модель {name} ({origin}), {parameters} млн обучаемых параметров: {experts} × {layers} слоёв × {width} "
        "над таблицей из {vocabulary} токенов. Эксперты: {names}. Пределы: всего {context} токенов, {characters} знаков в запросе, {orders} текста сразу и {runs} в минуту на посетителя.",
        "当前模型：{name}（{origin}），{parameters} 百万可训练参数：{experts} × {layers} 层 × {width}，"
        "词元表共 {vocabulary} 个。专家：{names}。上限：共 {context} 个词元，提示最多 {characters} 个字符，每位访客同时 {orders} 个文本、每分钟 {runs} 个。",
    ),
    "strip_hint_each": (
        "Each chip is a token: its picture over its text; blocks show amounts. Framed chips were written by the model. Click one.",
        "Каждая фишка — токен: картинка над текстом; столбики показывают величину. Фишки в рамке написала модель. Нажмите на любую.",
        "每个方块是一个词元：图片在上，文字在下；方柱表示大小。带框的由模型写出。点一个看看。",
    ),
    "recovered": (
        "The picture basis of this model is not published; recovered here: a rotation fitted on {fitted} tokens gives {exact} of "
        "{tested} held-out pictures back exactly, and predicted vectors agree with the table's to a cosine of {agreement}.",
        "Базис картинок этой модели не опубликован и восстановлен здесь: поворот, подобранный по {fitted} токенам, точно возвращает "
        "{exact} из {tested} отложенных картинок; предсказанные векторы совпадают с таблицей с косинусом {agreement}.",
        "此模型的图片基未公开，在此恢复：用 {fitted} 个词元拟合的旋转，使 {tested} 张留出图片中的 {exact} 张完全还原；"
        "预测向量与表中向量的余弦为 {agreement}。",
    ),
    "not_recovered": (
        "This table does not hold the pictures: fitted on {fitted} tokens, the best rotation gives {exact} of {tested} held-out "
        "pictures back exactly (cosine {agreement}). A table that was trained fails like this; what is decoded here is noise.",
        "В этой таблице нет картинок: лучший поворот, подобранный по {fitted} токенам, точно возвращает {exact} из {tested} отложенных "
        "картинок (косинус {agreement}). Так проваливается обученная таблица; восстановленное здесь — шум.",
        "此表不含这些图片：用 {fitted} 个词元拟合的最佳旋转，{tested} 张留出图片中只有 {exact} 张完全还原（余弦 {agreement}）。"
        "经过训练的表就会这样失败；此处解码出的只是噪声。",
    ),
    "surprise_title": (
        "Surprise: how unexpected each token was",
        "Неожиданность: насколько неожидан каждый токен",
        "意外程度：每个词元有多出乎意料",
    ),
    "surprise_lead": (
        "This model has one expert, so there is no one to disagree with. Height: −log of the probability it gave the token (nats). Click a peak.",
        "У этой модели один эксперт, спорить ему не с кем. Высота: −логарифм вероятности, которую она дала токену (наты). Нажмите на пик.",
        "此模型只有一位专家，无从分歧。高度：它给该词元的概率的负对数（纳特）。点击峰值。",
    ),
    "surprise_summary": (
        "The least expected token is “{token}” ({value} nats, mean {mean}).",
        "Самый неожиданный токен — «{token}» ({value} ната, среднее {mean}).",
        "最意外的词元是“{token}”（{value} 纳特，平均 {mean}）。",
    ),
    "most_surprising": (
        "Least expected, in order (nats): click one",
        "Самые неожиданные, по порядку (наты): нажмите",
        "最意外处，依次排列（纳特）：点一个",
    ),
    "disagreement_summary_each": (
        "The experts part most before “{token}” ({value} nats, mean {mean}); the text's mean log-probability a token: {list}.",
        "Больше всего эксперты расходятся перед «{token}» ({value} ната, среднее {mean}); средний логарифм вероятности токена: {list}.",
        "专家在“{token}”之前分歧最大（{value} 纳特，平均 {mean}）；每词元平均对数概率：{list}。",
    ),
    "layers_summary_each": (
        "From layer 0 to layer {last} this share of each token's nearest tokens in this text changes, measured in all dimensions: {list}.",
        "От слоя 0 до слоя {last} у каждого токена меняется такая доля ближайших соседей по тексту (во всех измерениях): {list}.",
        "从第 0 层到第 {last} 层，每个词元在文中近邻的改变比例（全部维度）：{list}。",
    ),
    "lens_summary_each": (
        "On average the best guess is the final one from this layer of {last} on: {list}.",
        "В среднем лучшая догадка становится окончательной с такого слоя из {last}: {list}.",
        "平均而言，最佳猜测从该层（共 {last} 层）起即为最终结果：{list}。",
    ),
    "depth_summary_each": (
        "“{token}” as the best guess: {list}.",
        "«{token}» как лучшая догадка: {list}.",
        "“{token}”作为最佳猜测：{list}。",
    ),
    "words_summary_each": (
        "Of a word's {k} nearest words (all dimensions), this share belongs to its own group, from layer 0 to layer {last}: {list}; "
        "by chance {chance} ({count} words, {groups} groups).",
        "Из {k} ближайших слов (во всех измерениях) к своей группе относится, от слоя 0 до слоя {last}: {list}; случайно — {chance} "
        "(слов: {count}, групп: {groups}).",
        "每个词最近的 {k} 个词（全部维度）中属于同组的比例，从第 0 层到第 {last} 层：{list}；随机为 {chance}（{count} 个词，{groups} 组）。",
    ),
    "voices_single": (
        "This model has a single expert: there is nothing to fuse and no share to show. Its own expectations are below.",
        "У этой модели один эксперт: сливать нечего и долей нет. Ниже — чего ждёт он сам.",
        "此模型只有一位专家：没有融合，也没有份额。下面是它自己的期待。",
    ),
    "voices_joined": (
        "This model mixes its towers before any logits: no expert has expectations of its own, so it is shown as one. "
        "Its hidden state is that of all towers side by side.",
        "Эта модель смешивает башни до логитов: своих ожиданий у экспертов нет, поэтому она показана как одна. "
        "Её скрытое состояние — состояния всех башен рядом.",
        "此模型在产生 logit 之前就混合各塔：专家没有各自的期待，因此作为整体显示。其隐藏状态由各塔状态并列而成。",
    ),
    "voices_learned": (
        "This model fuses its experts by a part that was learned: shares are not additive, so none are shown. Still true, and computed "
        "by the model's own code: what each expert expects alone, what the fusion makes of it, and how far that is from the plain mean.",
        "Эксперты этой модели слиты обученной частью: доли не складываются, поэтому их здесь нет. По-прежнему верно и посчитано кодом "
        "самой модели: чего ждёт каждый в одиночку, что из этого делает слияние и насколько оно далеко от простого среднего.",
        "此模型用学习得到的部件融合专家：份额不可相加，因此不显示。仍然成立、并由模型自身代码算出的是：每位专家单独的期待、融合的结果，以及它与简单平均的差距。",
    ),
    "voices_probabilities": (
        "This model averages its experts' probabilities, not their logits: shares of logits are not additive, so none are shown.",
        "Эта модель усредняет вероятности экспертов, а не логиты: доли логитов не складываются, поэтому их здесь нет.",
        "此模型平均的是专家的概率而非 logit：logit 份额不可相加，因此不显示。",
    ),
    "voices_mean": (
        "This model averages the logits of more than two experts: shares are exact, but there is no single slider for them.",
        "Эта модель усредняет логиты более чем двух экспертов: доли точны, но одного ползунка для них нет.",
        "此模型平均两位以上专家的 logit：份额精确，但无法用一个滑块调节。",
    ),
    "voices_weighted": (
        "This model adds its experts' logits with fixed weights of its own: shares are exact, the weights are not for the page to move.",
        "Эта модель складывает логиты экспертов с собственными постоянными весами: доли точны, но двигать веса здесь нельзя.",
        "此模型以自身固定的权重相加专家的 logit：份额精确，但权重不能在此调节。",
    ),
    "voices_title": (
        "The fusion's candidates, heard from each side",
        "Варианты слияния — глазами каждого",
        "融合的候选，从各方来看",
    ),
    "voices_mean_of_logits": ("plain mean of logits", "простое среднее логитов", "logit 的简单平均"),
    "voices_summary": (
        "“{winner}” is the likeliest next token ({probability}).",
        "Самый вероятный следующий токен — «{winner}» ({probability}).",
        "最可能的下一个词元是“{winner}”（{probability}）。",
    ),
    "measure_surprise": ("Surprise −log p (nats)", "Неожиданность −log p (наты)", "意外程度 −log p（纳特）"),
    "report_title": (
        "How this model was understood",
        "Как понята эта модель",
        "如何理解这个模型",
    ),
    "report_lead": (
        "Its code is not ours. What the panels show was found by what its parts do, and proved on probe texts; what cannot be proved is not shown.",
        "Её код — не наш. То, что видно на панелях, найдено по поведению частей и доказано на пробных текстах; недоказанное не показано.",
        "它的代码不是我们的。面板所示均按各部件的行为找出，并在试探文本上证明；不能证明的不显示。",
    ),
    "report_source": ("Source", "Источник", "来源"),
    "report_code": ("Its own code", "Собственный код", "自带代码"),
    "report_code_ran": (
        "was run: it is on the list of known models, or the operator agreed to it",
        "запущен: модель в списке известных, либо согласился владелец сервера",
        "已运行：在已知模型名单中，或经服务器管理者同意",
    ),
    "report_code_none": ("none needed", "не понадобился", "不需要"),
    "report_tables": ("Embedding", "Эмбеддинг", "嵌入"),
    "report_table_shared": ("one table for all experts", "одна таблица на всех экспертов", "所有专家共用一张表"),
    "report_table_own": (
        "{count} tables, one for each expert",
        "таблиц: {count}, у каждого эксперта своя",
        "{count} 张表，每位专家各一张",
    ),
    "report_frozen": ("marked as frozen", "помечена как неизменная", "标记为冻结"),
    "report_not_frozen": ("not marked as frozen", "не помечена как неизменная", "未标记为冻结"),
    "report_left_out": (
        "not shown as it is: {count} more of its towers have another depth or width and are left out here; the fused numbers are the network's own",
        "показано не полностью: ещё башен другой глубины или ширины — {count}, они опущены; общие числа даёт сама сеть",
        "未完整显示：另有 {count} 座深度或宽度不同的塔未列出；融合后的数值由网络自身给出",
    ),
    "report_own_head": (
        "one expert; what turns its last state into logits is more than a norm and a matrix, and is done by its own code",
        "один эксперт; его логиты получаются из последнего состояния не одной нормой и матрицей, а собственным кодом",
        "单个专家；从末层状态到 logits 不只是归一化和矩阵，由其自身代码完成",
    ),
    "report_fusion": ("Fusion", "Слияние", "融合"),
    "report_runs": ("Runs in", "Работает", "运行方式"),
    "report_imported": (
        "our cached decoder over its weights: {style}",
        "в нашем декодере с кешем, на её весах: {style}",
        "使用我们带缓存的解码器和它的权重：{style}",
    ),
    "report_original": (
        "its own code, without a cache, hence slowly: our decoder did not give the same numbers ({reason})",
        "на собственном коде, без кеша, поэтому медленно: наш декодер не дал тех же чисел ({reason})",
        "运行自带代码，没有缓存，因此较慢：我们的解码器得不到相同的数值（{reason}）",
    ),
    "report_proof": ("Proof", "Доказательство", "证明"),
    "report_compared": (
        "{numbers} hidden states and rows of logits on {probes} texts, computed in float32: the largest difference from its own is {largest} of their root mean square",
        "скрытых состояний и строк логитов: {numbers}, текстов: {probes}, счёт в float32; наибольшее отличие от её собственных — {largest} их среднеквадратичного",
        "在 {probes} 个文本上以 float32 比较了 {numbers} 组隐藏状态与 logit：与其自身数值的最大差别为均方根的 {largest}",
    ),
    "report_precision": ("Number format", "Формат чисел", "数值格式"),
    "report_int8": (
        "int8, fast: predictions differ from bfloat16 by {bits} bits on average, and {same} of the likeliest tokens stay",
        "int8, быстрый: предсказания отличаются от bfloat16 в среднем на {bits} бита, самый вероятный токен тот же в {same}",
        "int8（快速）：预测与 bfloat16 平均相差 {bits} 比特，{same} 的最可能词元不变",
    ),
    "report_start": ("Start token", "Начальный токен", "起始词元"),
    "report_pictures": ("Pictures", "Картинки", "图片"),
    "report_summary": (
        "{name}: {experts} × {layers} layers × {width}.",
        "{name}: {experts} × {layers} слоёв × {width}.",
        "{name}：{experts} × {layers} 层 × {width}。",
    ),
    # Figures
    "figures_title": ("Figures: how good the models are", "Цифры: насколько хороши модели", "数据：模型有多好"),
    "figures_lead": (
        "Bits per character on text kept out of training (lower is better; best in bold), and the published models' results.",
        "Биты на знак на тексте, не вошедшем в обучение (меньше — лучше; лучшее жирным), и результаты опубликованных моделей.",
        "未参与训练的文本上的每字符比特数（越低越好，最佳为粗体），以及已发表模型的成绩。",
    ),
    "figures_held": (
        "This model: held-out bits per character",
        "Эта модель: биты на знак на отложенном тексте",
        "此模型：保留文本上的每字符比特数",
    ),
    "figures_training": ("Training", "Обучение", "训练"),
    "figures_tokens": ("tokens seen", "токенов", "所见词元"),
    "figures_minutes": ("minutes on one core", "минут на одном ядре", "单核分钟数"),
    "figures_published": (
        "Published, not measured here: per cent, ± 95 % interval",
        "Опубликовано, здесь не измерялось: проценты, ± 95 % интервал",
        "已发表，非在此测得：百分比，± 95 % 区间",
    ),
    "figures_chance": (
        "MMLU (mean of 58 subjects) and ARC offer four choices, CommonsenseQA five: chance is 25 % and 20 %. The published models "
        "are at chance level there, or below.",
        "В MMLU (среднее по 58 предметам) и ARC четыре варианта, в CommonsenseQA пять: случайно 25 % и 20 %. Опубликованные "
        "модели там на уровне случайного угадывания или ниже.",
        "MMLU（58 科平均）和 ARC 为四选一，CommonsenseQA 为五选一：随机为 25 % 和 20 %。已发表的模型在这些测试上处于或低于随机水平。",
    ),
    "figures_fusion": ("{language} {percent} %", "{language} {percent} %", "{language} {percent} %"),
    "figures_summary": (
        "The mean of logits against the better expert alone, in bits per character: {list}.",
        "Среднее логитов против лучшего эксперта, в битах на знак: {list}.",
        "logit 平均与较好专家单独相比（每字符比特数）：{list}。",
    ),
    "twins_title": (
        "Twins and growth: what the frozen pictures change",
        "Близнецы и рост: что меняют замороженные картинки",
        "孪生模型与生长：冻结图片带来什么",
    ),
    "twins_lead": (
        "Small twins of each expert, trained on the same rows from the same seed; each differs in one thing. Their curves were "
        "measured when they were trained; their weights are not part of the demo.",
        "Маленькие близнецы каждого эксперта, обученные на тех же строках с того же зерна; каждый отличается чем-то одним. Кривые "
        "измерены при обучении; их весов в демо нет.",
        "每位专家的小型孪生模型，用相同的数据行和种子训练，各自只有一处不同。曲线在训练时测得；演示中不含它们的权重。",
    ),
    "twins_budget": (
        "Every twin saw {twins} million tokens, the experts on display {shown} million",
        "Каждый близнец видел {twins} млн токенов, эксперты на экране — {shown} млн",
        "每个孪生模型所见词元为 {twins} 百万，所展示的专家为 {shown} 百万",
    ),
    "twins_tokens": ("million tokens seen", "миллионов токенов", "所见词元（百万）"),
    "twins_loss": (
        "{expert}: training loss by tokens seen",
        "{expert}: потери при обучении по числу токенов",
        "{expert}：训练损失随所见词元",
    ),
    "twins_loss_says": (
        "After {tokens} million tokens, in nats a token: {list}.",
        "После {tokens} млн токенов, в натах на токен: {list}.",
        "在 {tokens} 百万词元之后，每词元奈特：{list}。",
    ),
    "twins_purity": (
        "{expert}: words of one group near each other, {language}",
        "{expert}: слова одной группы рядом, {language}",
        "{expert}：同类词相邻程度，{language}",
    ),
    "twins_grown": (
        "{expert} grown or trained whole: words of one group near each other, {language}",
        "{expert}, послойно или целиком: слова одной группы рядом, {language}",
        "{expert}，逐层生长或整体训练：同类词相邻程度，{language}",
    ),
    "twins_purity_says": (
        "Read in real sentences, which tell a part of it too. Purity starts at {start} with the pictures; at the best layer, "
        "with 95 % intervals: {list}.",
        "Слова прочитаны в настоящих предложениях, которые тоже что-то выдают. Чистота начинается с {start} на картинках; на лучшем "
        "слое, с 95 % интервалами: {list}.",
        "词在真实句子中读出，句子本身也透露一部分。纯度在图片层为 {start}；最佳层（含 95 % 区间）：{list}。",
    ),
    "twins_growth": (
        "{expert} grown layer by layer: training loss by tokens seen",
        "{expert}, выращенный слой за слоем: потери при обучении по числу токенов",
        "{expert} 逐层生长：训练损失随所见词元",
    ),
    "twins_growth_says": (
        "Each stage freezes what is there and adds one layer; the largest jump of the loss at a new layer is {jump}. Held-out bits "
        "per character by stage, {language}: {list}.",
        "Каждая стадия замораживает готовое и добавляет слой; наибольший скачок потерь на новом слое {jump}. Биты на знак по "
        "стадиям, {language}: {list}.",
        "每一阶段冻结已有部分并新增一层；新层处损失的最大跳变为 {jump}。各阶段保留文本每字符比特数，{language}：{list}。",
    ),
    "twins_stage": ("{layers}", "{layers}", "{layers}"),
    "twins_held": (
        "Twins: bits per character on {lines} held-out lines a language",
        "Близнецы: биты на знак на {lines} отложенных строках каждого языка",
        "孪生模型：每种语言 {lines} 行保留文本上的每字符比特数",
    ),
    "twins_merges": (
        "Merges: bits per character on the same lines, and how much more than the better expert alone",
        "Слияния: биты на знак на тех же строках и насколько больше, чем у лучшего эксперта",
        "合并：同样文本上的每字符比特数，以及比较好的单个专家多出多少",
    ),
    "twins_merges_note": (
        "Logits are averaged over one list of tokens; the tables that the experts read need not be the same for that. The rows "
        "show what the shared table adds, and what having seen the other's script adds.",
        "Логиты усредняются по одному списку токенов; таблицы, которые читают эксперты, для этого не обязаны совпадать. Строки "
        "показывают, что даёт общая таблица и что даёт знакомство с чужим письмом.",
        "logit 在同一词元表上取平均；专家所读的嵌入表不必相同。各行显示共享嵌入表与见过对方文字各带来什么。",
    ),
    "twins_answers": (
        "What each twin wrote after “{prompt}”",
        "Что каждый близнец написал после «{prompt}»",
        "每个孪生模型在“{prompt}”之后写了什么",
    ),
    "twins_answers_note": (
        "Written once, when the twins were measured (temperature and seed as recorded in the code), not now.",
        "Написано один раз, когда близнецов измеряли (температура и зерно записаны в коде), не сейчас.",
        "在测量孪生模型时一次写成（温度与种子记于代码），并非现场生成。",
    ),
    "twins_summary": (
        "Averaging logits against the better expert alone, mean of three languages: {list}.",
        "Среднее логитов против лучшего эксперта, среднее по трём языкам: {list}.",
        "logit 平均与较好专家单独相比，三种语言平均：{list}。",
    ),
    "verdict_unshared": (
        "With two tables that have nothing in common the mean of logits costs {more} points more: sharing the table matters for the merge.",
        "С двумя таблицами без общего среднее логитов обходится дороже на {more} п. п.: общая таблица важна для слияния.",
        "用两张毫无共同之处的表，logit 平均多付出 {more} 个百分点：共享嵌入表对合并有作用。",
    ),
    "verdict_unshared_not": (
        "With two tables that have nothing in common it costs no more ({more} points): what is averaged are logits over one list of "
        "tokens, and the shared table is not what makes the merge work here.",
        "С двумя таблицами без общего оно не дороже ({more} п. п.): усредняются логиты по одному списку токенов, и слияние держится "
        "здесь не на общей таблице.",
        "用两张毫无共同之处的表也不更差（{more} 个百分点）：平均的是同一词元表上的 logit，此处合并之所以可行并非因为共享嵌入表。",
    ),
    "verdict_alone": (
        "Without any of the other's script in training it costs {more} points more: that is what the merge needs.",
        "Без чужого письма в обучении оно дороже на {more} п. п.: вот что нужно слиянию.",
        "若训练中完全没有对方的文字，则多付出 {more} 个百分点：这才是合并所需要的。",
    ),
    "verdict_alone_not": (
        "Never having seen the other's script costs no more ({more} points).",
        "Незнание чужого письма обходится не дороже ({more} п. п.).",
        "从未见过对方文字也不更差（{more} 个百分点）。",
    ),
    "twins_pictures": (
        "What the pictures change against vectors drawn at random, in bits per character: {list}.",
        "Что меняют картинки против случайных векторов, в битах на знак: {list}.",
        "与随机向量相比，图片使每字符比特数变化：{list}。",
    ),
    "twin_frozen": ("frozen pictures", "замороженные картинки", "冻结图片"),
    "twin_trained": ("pictures trained along", "картинки обучаются", "图片一同训练"),
    "twin_permuted": ("every token another's picture", "у каждого токена чужая картинка", "每个词元用他者的图片"),
    "twin_random": ("random vectors", "случайные векторы", "随机向量"),
    "twin_alone": ("never saw the other's script", "не видел чужого письма", "未见过对方文字"),
    "twin_grown": ("grown layer by layer", "выращен послойно", "逐层生长"),
    "twin_grown_to": ("grown, layers: {layers}", "выращен, слоёв: {layers}", "生长，层数：{layers}"),
    "merge_alone": (
        "experts that never saw the other's script",
        "эксперты, не видевшие чужого письма",
        "未见过对方文字的专家",
    ),
    "merge_some": ("experts with a little of it", "эксперты, видевшие его немного", "见过少量对方文字的专家"),
    "merge_joint": (
        "the former after a short joint tuning",
        "первые после короткой совместной донастройки",
        "前者经短暂联合微调",
    ),
    "merge_trained": (
        "two tables, each trained along",
        "две таблицы, каждая обучалась",
        "两张各自训练的嵌入表",
    ),
    "merge_unshared": (
        "two tables with nothing in common",
        "две таблицы без общего",
        "两张毫无共同之处的嵌入表",
    ),
    "merge_random": (
        "one table of random vectors for both",
        "одна таблица случайных векторов на двоих",
        "共用一张随机向量表",
    ),
    # Errors: each says what to do
    "empty_prompt": ("Type a few words first.", "Сначала введите несколько слов.", "请先输入几个词。"),
    "unknown_prompt": (
        "None of these characters are in the model's vocabulary: write Russian, Chinese or English words.",
        "Ни одного из этих знаков нет в словаре модели: напишите слова по-русски, по-китайски или по-английски.",
        "这些字符都不在模型词表中：请写俄语、中文或英语的词。",
    ),
    "long_prompt": (
        "The text has {length} characters; shorten it to {limit}.",
        "В тексте {length} знаков; сократите его до {limit}.",
        "文字有 {length} 个字符，请缩短到 {limit} 个。",
    ),
    "many_tokens": (
        "The text has {length} tokens; shorten it to {limit}.",
        "В тексте {length} токенов; сократите его до {limit}.",
        "文字有 {length} 个词元，请缩短到 {limit} 个。",
    ),
    "bad_temperature": (
        "Set the temperature to a number from {low} to {high}.",
        "Задайте температуру числом от {low} до {high}.",
        "请将温度设为 {low} 到 {high} 之间的数。",
    ),
    "bad_top_k": (
        "Set top-k to a whole number from {low} to {high}.",
        "Задайте top-k целым числом от {low} до {high}.",
        "请将 top-k 设为 {low} 到 {high} 之间的整数。",
    ),
    "bad_top_p": (
        "Set top-p to a number above {low} and up to {high}.",
        "Задайте top-p числом больше {low} и не больше {high}.",
        "请将 top-p 设为大于 {low} 且不超过 {high} 的数。",
    ),
    "bad_seed": (
        "Set the seed to a whole number from {low} to {high}.",
        "Задайте зерно целым числом от {low} до {high}.",
        "请将种子设为 {low} 到 {high} 之间的整数。",
    ),
    "bad_new_tokens": (
        "Ask for a whole number of new tokens, from {low} to {high}.",
        "Укажите целое число новых токенов от {low} до {high}.",
        "请将新词元数设为 {low} 到 {high} 之间的整数。",
    ),
    "bad_weights": (
        "Give {count} weights, none negative, that add up to 1.",
        "Задайте {count} неотрицательных веса с суммой 1.",
        "请给出 {count} 个非负且总和为 1 的权重。",
    ),
    "bad_lab_text": (
        "Type one to {limit} characters into each field.",
        "Введите в каждое поле от одного до {limit} знаков.",
        "请在每个框中输入 1 到 {limit} 个字符。",
    ),
    "few_words": (
        "Give at least {limit} different words.",
        "Дайте не меньше {limit} разных слов.",
        "请给出至少 {limit} 个不同的词。",
    ),
    "few_groups": (
        "Give at least {groups} groups, one a line, with at least {words} different words in each.",
        "Нужно не меньше {groups} групп, по одной на строку, и не меньше {words} разных слов в каждой.",
        "请给出至少 {groups} 个类别，每行一个，每个类别至少 {words} 个不同的词。",
    ),
    "many_words": (
        "Give at most {limit} words.",
        "Дайте не больше {limit} слов.",
        "最多给出 {limit} 个词。",
    ),
    "odd_word": (
        "Keep every word within {limit} characters, without control characters.",
        "Каждое слово — не длиннее {limit} знаков и без управляющих знаков.",
        "每个词不超过 {limit} 个字符，且不含控制字符。",
    ),
    "other_script": (
        "“{word}” has no Latin, Cyrillic or Chinese letter: write it in one of these scripts.",
        "В «{word}» нет ни латинских, ни кириллических букв, ни иероглифов: запишите его одной из этих письменностей.",
        "“{word}”中没有拉丁字母、西里尔字母或汉字：请用其中一种文字书写。",
    ),
    "unknown_word": (
        "“{word}” has a character that the model's vocabulary lacks: take another word.",
        "В «{word}» есть знак, которого нет в словаре модели: возьмите другое слово.",
        "“{word}”含有模型词表中没有的字符：请换一个词。",
    ),
    "cancelled": ("Cancelled; nothing was changed.", "Отменено; ничего не изменилось.", "已取消；没有任何改变。"),
    "bad_number": (
        "{name} must be a whole number from {low} to {high}: set it to one, or do not set it.",
        "{name} — целое число от {low} до {high}: задайте такое или не задавайте вовсе.",
        "{name} 必须是 {low} 到 {high} 之间的整数：请设为这样的数，或不要设置。",
    ),
    "bad_port": (
        "Port {port} cannot be used: stop what runs there or set GRADIO_SERVER_PORT to another number.",
        "Порт {port} использовать нельзя: остановите то, что на нём работает, или задайте GRADIO_SERVER_PORT.",
        "端口 {port} 无法使用：请停止占用它的程序，或将 GRADIO_SERVER_PORT 设为其他数字。",
    ),
    "fixed_weights": (
        "This model's experts cannot be weighed anew: leave the weights out.",
        "Веса экспертов этой модели менять нельзя: не задавайте их.",
        "此模型的专家权重不能更改：请不要给出权重。",
    ),
    "not_offered": (
        "This model is not on the list: choose one that is.",
        "Этой модели нет в списке: выберите из списка.",
        "此模型不在名单上：请从名单中选择。",
    ),
    "loading_other": (
        "{model} is being loaded: choose again when it is done.",
        "Сейчас загружается {model}: выберите снова, когда она загрузится.",
        "正在载入 {model}：请等它完成后再选。",
    ),
    "load_failed": (
        "{model} could not be loaded; the model on view stays. The server's log says why.",
        "Загрузить {model} не удалось; прежняя модель остаётся. Причина — в журнале сервера.",
        "未能载入 {model}；当前模型保留。原因见服务器日志。",
    ),
    "no_model": (
        "There is no folder {model}, and it is no hub id either: give an existing folder or owner/name@revision.",
        "Нет папки {model}, и это не имя на хабе: укажите существующую папку или owner/name@revision.",
        "没有文件夹 {model}，它也不是 hub 名称：请给出存在的文件夹或 owner/name@revision。",
    ),
    "no_revision": (
        "No revision of {model} is pinned: name the one you looked at, as {model}@revision.",
        "Ревизия {model} не закреплена: назовите ту, которую вы проверили, — {model}@revision.",
        "未固定 {model} 的版本：请指明你检查过的版本，写作 {model}@revision。",
    ),
    "wrong_id": (
        "The hub has no {model}, or does not show it to everybody: check the name.",
        "На хабе нет {model}, или она открыта не всем: проверьте имя.",
        "hub 上没有 {model}，或它不公开：请检查名称。",
    ),
    "wrong_revision": (
        "{model} has no revision {revision}: check it.",
        "У {model} нет ревизии {revision}: проверьте её.",
        "{model} 没有版本 {revision}：请检查。",
    ),
    "no_hub": (
        "The hub cannot be reached and {model} is not here yet: try again later, or give a folder.",
        "Хаб недоступен, а {model} здесь ещё нет: попробуйте позже или укажите папку.",
        "无法连接 hub，而 {model} 尚未下载：请稍后再试，或给出文件夹。",
    ),
    "no_disk": (
        "There is no room on the disk for {model}: free some and try again.",
        "На диске нет места для {model}: освободите его и попробуйте снова.",
        "磁盘空间不足以存放 {model}：请清理后再试。",
    ),
    "no_memory": (
        "{folder} needs about {needed} GB of memory and {free} GB are free: use a larger machine or a smaller model.",
        "Для {folder} нужно около {needed} ГБ памяти, свободно {free} ГБ: возьмите машину больше или модель меньше.",
        "{folder} 约需 {needed} GB 内存，目前空闲 {free} GB：请使用更大的机器或更小的模型。",
    ),
    "untrusted_code": (
        "{folder} brings its own code, which is not run unasked: look at it, then set GLYPHSCOPE_TRUST_REMOTE_CODE=1.",
        "{folder} содержит свой код; без спроса он не запускается: посмотрите его и задайте GLYPHSCOPE_TRUST_REMOTE_CODE=1.",
        "{folder} 带有自己的代码，未经同意不会运行：请先查看，再设置 GLYPHSCOPE_TRUST_REMOTE_CODE=1。",
    ),
    "code_elsewhere": (
        "{folder} asks for code from another repository, which is not fetched: put the code into the folder.",
        "{folder} требует код из другого репозитория, он не загружается: положите код в папку.",
        "{folder} 需要另一个仓库的代码，不会去获取：请把代码放进该文件夹。",
    ),
    "old_code": (
        "The code of {folder} needs {name}, which is not in the libraries installed here: it was written for other versions and has to be brought up to date.",
        "Коду {folder} нужно {name}, чего нет в установленных здесь библиотеках: он написан для других версий, его надо обновить.",
        "{folder} 的代码需要 {name}，而此处安装的库中没有：它是为其他版本编写的，需要更新。",
    ),
    "no_model_code": (
        "The config.json of {folder} names code, but none for a model: add AutoModelForCausalLM to its auto_map.",
        "config.json в {folder} называет код, но не код модели: добавьте AutoModelForCausalLM в auto_map.",
        "{folder} 的 config.json 指定了代码，却没有模型代码：请在 auto_map 中加入 AutoModelForCausalLM。",
    ),
    "broken_config": (
        "The config.json of {folder} cannot be read as settings: fetch it again.",
        "config.json в {folder} не читается как настройки: скачайте его заново.",
        "{folder} 的 config.json 无法作为设置读取：请重新下载。",
    ),
    "foreign_code": (
        "The code of {folder} failed while building the network ({reason}): it has to be mended there.",
        "Код {folder} не смог построить сеть ({reason}): его надо исправить.",
        "{folder} 的代码在构建网络时失败（{reason}）：需要在那边修复。",
    ),
    "cannot_run": (
        "The network of {folder} does not read a plain text ({reason}): its code has to be mended, or it is no language model.",
        "Сеть {folder} не читает обычный текст ({reason}): надо исправить её код, либо это не языковая модель.",
        "{folder} 的网络读不了普通文本（{reason}）：需要修复其代码，或者它不是语言模型。",
    ),
    "pickled_code": (
        "The weights of {folder} are a pickle that holds more than tensors and is not opened: save them as safetensors.",
        "Веса {folder} — pickle, в котором не только тензоры; он не открывается: сохраните их как safetensors.",
        "{folder} 的权重是含有张量以外内容的 pickle，不会打开：请另存为 safetensors。",
    ),
    "missing_weights": (
        "{folder} lacks {count} of its weights, {first} for one: fetch the folder again.",
        "В {folder} не хватает весов: {count}, например {first}. Загрузите папку заново.",
        "{folder} 缺少 {count} 个权重，例如 {first}：请重新获取该文件夹。",
    ),
    "no_tokenizer": (
        "{folder} has no tokenizer that can be read here: add its tokenizer.json.",
        "В {folder} нет токенизатора, который здесь читается: добавьте tokenizer.json.",
        "{folder} 没有可在此读取的分词器：请加入 tokenizer.json。",
    ),
    "other_tokenizer": (
        "The tokenizer of {folder} has {ids} ids, its network only {limit}: they do not belong together.",
        "У токенизатора {folder} номеров {ids}, у сети только {limit}: они не подходят друг другу.",
        "{folder} 的分词器有 {ids} 个编号，而网络只有 {limit} 个：两者不匹配。",
    ),
    "no_anatomy": (
        "No chain of like layers was found in {folder}: it is no model that these panels can show.",
        "В {folder} не найдено цепочки одинаковых слоёв: такую модель эти панели не покажут.",
        "在 {folder} 中找不到由相同层组成的链：这些面板无法显示这种模型。",
    ),
    "no_table": (
        "No table of token vectors was found in {folder}: it is no model that these panels can show.",
        "В {folder} не найдено таблицы векторов токенов: такую модель эти панели не покажут.",
        "在 {folder} 中找不到词元向量表：这些面板无法显示这种模型。",
    ),
    "unproved": (
        "What was found in {folder} does not agree with what it computes itself ({where}), so it is not shown.",
        "Найденное в {folder} не сходится с тем, что модель считает сама ({where}), поэтому она не показана.",
        "在 {folder} 中找到的结构与其自身的计算不符（{where}），因此不显示。",
    ),
    "bad_precision": (
        "Set GLYPHSCOPE_PRECISION to one of: {known}.",
        "Задайте GLYPHSCOPE_PRECISION одним из: {known}.",
        "请将 GLYPHSCOPE_PRECISION 设为以下之一：{known}。",
    ),
    "missing_files": (
        "The model folder {folder} lacks {files}: restore the folder or choose another one.",
        "В папке модели {folder} нет {files}: восстановите её или выберите другую.",
        "模型文件夹 {folder} 缺少 {files}：请恢复该文件夹或另选一个。",
    ),
    "damaged_files": (
        "Files in the model folder {folder} are not what was written there ({files}): restore the folder or choose another one.",
        "Файлы в папке модели {folder} не те, что были записаны ({files}): восстановите папку или выберите другую.",
        "模型文件夹 {folder} 中的这些文件与写入时不同：{files}。请恢复该文件夹或另选一个。",
    ),
    "no_font": (
        "The font assets/fonts/{file} is missing or damaged: restore the file; every picture is drawn with it.",
        "Шрифт assets/fonts/{file} отсутствует или повреждён: восстановите файл; им нарисованы все картинки.",
        "字体 assets/fonts/{file} 缺失或已损坏：请恢复该文件，所有图片都用它绘制。",
    ),
    "no_room": (
        "Nothing can be written to the folder for temporary files: free some space, or set GRADIO_TEMP_DIR to a folder that can be written.",
        "В папку временных файлов ничего нельзя записать: освободите место или задайте GRADIO_TEMP_DIR с доступной для записи папкой.",
        "临时文件夹无法写入：请腾出空间，或将 GRADIO_TEMP_DIR 设为可写的文件夹。",
    ),
    "broken_weights": (
        "The weights in {folder} are damaged or of another shape: restore the folder or choose another one.",
        "Веса в {folder} повреждены или другой формы: восстановите папку или выберите другую.",
        "{folder} 中的权重已损坏或形状不符：请恢复该文件夹或另选一个。",
    ),
    # Causal instruments
    "cannot_open": (
        "{model} runs by its own code, so it cannot be opened here: choose another model.",
        "{model} работает на собственном коде, и здесь её не вскрыть: выберите другую модель.",
        "{model} 用自带的代码运行，无法在此打开：请选择其他模型。",
    ),
    "patch_same": (
        "Both texts are the same: change one word in one of them.",
        "Тексты одинаковы: замените в одном из них одно слово.",
        "两段文字相同：请改动其中一段的一个词。",
    ),
    "patch_long": (
        "{length} tokens are too many here: take at most {limit}.",
        "{length} токенов — здесь это слишком много: возьмите не больше {limit}.",
        "{length} 个词元太多：这里最多 {limit} 个。",
    ),
    "patch_lengths": (
        "The texts have {first} and {second} tokens; states are moved only between texts with equally many. "
        "These have no counterpart: {here} in the first, {there} in the second.",
        "В текстах {first} и {second} токенов, а состояния переносятся только между текстами с равным их числом. "
        "Без пары остались: {here} в первом, {there} во втором.",
        "两段文字分别有 {first} 和 {second} 个词元；只有词元数相同才能移动状态。没有对应的词元：第一段 {here}，第二段 {there}。",
    ),
    "patch_answer": (
        "“{text}” is no token that this model can say: choose one from the lists.",
        "«{text}» — не токен, который эта модель может сказать: выберите из списков.",
        "“{text}”不是这个模型能说的词元：请从列表中选择。",
    ),
    "patch_answers_same": (
        "Both answers begin with the same token: choose two different ones.",
        "Оба ответа начинаются с одного токена: выберите два разных.",
        "两个答案以同一个词元开头：请选择两个不同的。",
    ),
    "patch_margin": (
        "There is nothing to explain here: between the texts, “{first}” against “{second}” changes by only {nats} nats "
        "(at least {least} are needed). Choose other answers or texts.",
        "Здесь нечего объяснять: от текста к тексту «{first}» против «{second}» меняется лишь на {nats} ната "
        "(нужно хотя бы {least}). Выберите другие ответы или тексты.",
        "这里没有可解释的差别：两段文字之间，“{first}”相对“{second}”只变化 {nats} 奈特（至少需要 {least}）。请换答案或文字。",
    ),
    "no_head": (
        "There is no such part: blocks go from 1 to {layers}, heads from 0 to {heads}.",
        "Такой части нет: блоки от 1 до {layers}, головы от 0 до {heads}.",
        "没有这个部分：层块为 1 到 {layers}，注意力头为 0 到 {heads}。",
    ),
    "nothing_silenced": (
        "Choose at least one part to silence.",
        "Выберите хотя бы одну часть, которую заглушить.",
        "请至少选择一个要静默的部分。",
    ),
    "no_pictures": (
        "No pictures were found behind the vectors of {model}, so there is nothing to draw: choose another model.",
        "За векторами {model} не найдено картинок, и рисовать нечего: выберите другую модель.",
        "在 {model} 的向量背后没有找到图片，因此无法绘制：请选择其他模型。",
    ),
    "bad_position": (
        "There is no such token in this text: count from 0 to {last}.",
        "В этом тексте нет такого токена: счёт от 0 до {last}.",
        "这段文字里没有这个词元：请从 0 数到 {last}。",
    ),
    "bad_pixels": (
        "A picture is {side} strings of {side} characters, each 0 or 1.",
        "Картинка — это {side} строк по {side} знаков, каждый 0 или 1.",
        "一张图片是 {side} 个字符串，每个 {side} 个字符，只能是 0 或 1。",
    ),
    "cannot_draw": (
        "Type one to sixteen characters to draw.",
        "Введите от одного до шестнадцати знаков, чтобы их нарисовать.",
        "请输入一到十六个字符来绘制。",
    ),
    "no_gradient": (
        "{model} runs in a number format that has no gradients here: draw by hand instead.",
        "{model} работает в числовом формате без градиентов: рисуйте вручную.",
        "{model} 所用的数值格式在此没有梯度：请手动绘制。",
    ),
    "busy": (
        "Something went wrong on our side; your text is kept, try again.",
        "Что-то пошло не так на нашей стороне; ваш текст цел, попробуйте ещё раз.",
        "我们这边出了点问题；你的文字还在，请再试一次。",
    ),
}


def say(code: str, language: str = "en", /, **values: Any) -> str:
    """The sentence of a code, filled in.  An unknown language reads English."""
    order = list(LANGUAGES)
    column = order.index(language) if language in order else 0
    return _SENTENCES[code][column].format(**values)


def speaker(language: str) -> Say:
    """`say` bound to a language, as figures take it."""

    def bound(code: str, **values: Any) -> str:
        return say(code, language, **values)

    return bound
