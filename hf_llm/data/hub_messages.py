"""The SMS Spam Collection from the Hub, for those who have no file: `ucirvine/sms_spam`, in parquet."""

from hf_llm.config import UserError, quoted
from hf_llm.data.search import MissingData

HUB_SMS_SPAM = "ucirvine/sms_spam"


def read_hub_messages(missing: MissingData) -> list[str]:
    """Return the lines `label<TAB>text` in the order of the data set.

    Raises:
        MissingData: `missing`, which says where a file was looked for, when the Hub cannot be reached either.
        UserError: When the data set has not the columns of the SMS Spam Collection.
    """
    import datasets  # takes seconds

    try:
        rows = datasets.load_dataset(HUB_SMS_SPAM, split="train")
    except (OSError, ValueError, datasets.exceptions.DatasetsError):  # offline, refused, or damaged
        raise missing from None
    try:
        names = rows.features["label"].names
        return [f"{names[label]}\t{' '.join(text.split())}" for label, text in zip(rows["label"], rows["sms"])]
    except (KeyError, TypeError, AttributeError, IndexError) as error:
        raise UserError(
            f"{HUB_SMS_SPAM} is not the SMS Spam Collection as this project knows it ({quoted(repr(error))})"
        ) from None
