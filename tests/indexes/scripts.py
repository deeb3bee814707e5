"""Texts of several sentences in several scripts, written for these tests, with questions that one sentence answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Script:
    """A text by its sentences.

    Parameters
    ----------
    sentences
        In order; each ends with its own full stop where the script has one.
    questions
        A question, and which sentence answers it.
    words
        A word that stands in that sentence and in no other, for each question.
    gap
        What stands between two sentences.
    """

    sentences: tuple[str, ...]
    questions: Mapping[str, int]
    words: Mapping[str, int]
    gap: str = " "

    @property
    def text(self) -> str:
        """All sentences."""
        return self.gap.join(self.sentences)


SCRIPTS: Mapping[str, Script] = {
    "french": Script(
        (
            "L’été dernier, M. Lefèvre a rénové la vieille forge près de l’église.",
            "Le toit, abîmé par la grêle, a coûté 12 500 € à lui seul.",
            "« Où trouver des ardoises d’Anjou ? » demandait-il à chaque artisan.",
            "Une cheminée en brique chauffe aujourd’hui l’atelier même par −8 °C.",
            "Grâce à une subvention régionale, les fenêtres ont été remplacées en août.",
            "Bientôt, dix élèves y apprendront la ferronnerie !",
        ),
        {
            "Combien a coûté le toit abîmé par la grêle ?": 1,
            "Qui apprendra la ferronnerie, combien d’élèves ?": 5,
            "Quand les fenêtres ont-elles été remplacées grâce à la subvention ?": 4,
        },
        {"grêle": 1, "ferronnerie": 5, "subvention": 4},
    ),
    "polish": Script(
        (
            "Żółw błotny żyje w zarośniętych stawach i starorzeczach.",
            "Samica składa od dziesięciu do szesnastu jaj w ciepłym piasku.",
            "Czy młode wychodzą z gniazda jeszcze jesienią?",
            "W chłodniejsze lata zimują pod ziemią, na głębokości piętnastu centymetrów.",
            "Największym zagrożeniem są drogi, które przecinają szlaki wędrówek.",
        ),
        {
            "Ile jaj składa samica w piasku?": 1,
            "Co jest największym zagrożeniem, czy drogi?": 4,
            "Na jakiej głębokości zimują pod ziemią?": 3,
        },
        {"jaj": 1, "zagrożeniem": 4, "głębokości": 3},
    ),
    "russian": Script(
        (
            "Маяк на мысе Белужий построен в 1887 г. из тёсаного гранита.",
            "Смотритель зажигал лампу за полчаса до захода солнца.",
            "Почему башня выкрашена красными и белыми полосами?",
            "Так её легче заметить в тумане, объясняет музейный путеводитель.",
            "Сегодня линзу вращает небольшой электродвигатель, а не гиря.",
            "Ёмкость старого бака для керосина составляла триста литров!",
        ),
        {
            "Когда смотритель зажигал лампу?": 1,
            "Что сегодня вращает линзу?": 4,
            "Какова ёмкость бака для керосина?": 5,
        },
        {"смотритель": 1, "линзу": 4, "керосина": 5},
    ),
    "arabic": Script(
        (
            "تزرع القرية الزيتون على سفوح التلال منذ ثلاثة قرون.",
            "يبدأ القطاف في أواخر تشرين الأول بعد أول مطر.",
            "كم لترا من الزيت تعطي الشجرة الواحدة؟",
            "تعطي الشجرة المعمرة نحو أربعة لترات في السنة الجيدة.",
            "تحفظ العائلات الزيت في جرار فخارية بعيدا عن الضوء؛ فالضوء يفسده.",
            "أما الجفت المتبقي فيستعمل وقودا للتدفئة!",
        ),
        {
            "متى يبدأ القطاف بعد أول مطر؟": 1,
            "أين تحفظ العائلات الزيت، في جرار فخارية؟": 4,
            "فيم يستعمل الجفت المتبقي؟": 5,
        },
        {"القطاف": 1, "فخارية": 4, "الجفت": 5},
    ),
    "hindi": Script(
        (
            "पहाड़ी गाँव में पानी की पनचक्की पिछले सौ वर्षों से चल रही है।",
            "बरसात में नाले का बहाव तेज़ होने पर चक्की दिन-रात गेहूँ पीसती है।",
            "क्या सर्दियों में भी आटा पिसता है?",
            "जनवरी में नाला जम जाता है, इसलिए लोग पहले से आटा जमा कर लेते हैं।",
            "पत्थर के पाट हर तीन महीने में छेनी से खुरदरे किए जाते हैं॥",
            "मरम्मत का खर्च पंचायत उठाती है।",
        ),
        {
            "मरम्मत का खर्च कौन उठाती है?": 5,
            "पत्थर के पाट किससे खुरदरे किए जाते हैं?": 4,
            "नाला कब जम जाता है?": 3,
        },
        {"पंचायत": 5, "छेनी": 4, "जनवरी": 3},
    ),
    "chinese": Script(
        (
            "这座石拱桥建于明朝，横跨城南的护城河。",
            "桥身由四百二十块青石砌成，没有用一颗钉子！",
            "每逢端午节，居民会在桥上观看龙舟比赛。",
            "游客常常问：“为什么桥面中间比两头高？”",
            "因为拱形能把重量分散到两岸的桥墩上。",
            "去年洪水过后，文物局更换了十二根栏杆。",
        ),
        {"桥身由多少块青石砌成？": 1, "端午节观看哪种比赛？": 2, "文物局更换了多少根栏杆？": 5},
        {"青石": 1, "龙舟": 2, "栏杆": 5},
        "",
    ),
    "japanese": Script(
        (
            "この温泉町には、江戸時代から続く旅館が七軒あります。",
            "源泉の温度は六十八度で、そのままでは入れません。",
            "「どうやって冷ますのですか？」と客は尋ねます。",
            "長い木の板で湯をかき混ぜる「湯もみ」が今も行われています。",
            "冬になると、サルが露天風呂に入りに来ます！",
            "町営バスは一時間に二本、駅前から出ています。",
        ),
        {"源泉の温度は何度ですか？": 1, "サルはいつ露天風呂に来ますか？": 4, "町営バスはどこから出ていますか？": 5},
        {"源泉": 1, "サル": 4, "バス": 5},
        "",
    ),
    "thai": Script(
        (
            "ตลาดน้ำแห่งนี้เปิดขายทุกวันเสาร์และวันอาทิตย์ตั้งแต่หกโมงเช้า",
            "แม่ค้าพายเรือไม้ลำเล็กบรรทุกผลไม้และก๋วยเตี๋ยวร้อน",
            "มะม่วงจากสวนริมคลองมีรสหวานที่สุดในเดือนเมษายน",
            "นักท่องเที่ยวควรจอดรถที่วัดแล้วเดินข้ามสะพานไม้",
            "ค่าเช่าเรือหนึ่งชั่วโมงราคาสองร้อยบาท",
            "ในฤดูน้ำหลากทางเทศบาลจะปิดท่าเรือชั่วคราว",
        ),
        {"ค่าเช่าเรือหนึ่งชั่วโมงราคาเท่าไร": 4, "มะม่วงมีรสหวานที่สุดในเดือนอะไร": 2, "ใครจะปิดท่าเรือชั่วคราว": 5},
        {"ค่าเช่า": 4, "มะม่วง": 2, "เทศบาล": 5},
    ),
}
UNSPACED = frozenset({"chinese", "japanese", "thai"})
