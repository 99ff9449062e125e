"""What billing systems mean by what they tell, where they differ and do not say so."""

from settings.field import Names, Settings, setting


class Sources(Settings):
    """What billing systems mean by past due."""

    stopped_at_past_due: Names = setting(
        "DUNNING_STOPPED_AT_PAST_DUE",
        "The sources, with commas between them, that take access themselves once a subscription is past "
        "due. Theirs then ends with the first failure; others' lasts for the grace of the policy.",
        default=(),
        example="commet",
        cure="Write names of sources, or leave it empty.",
    )
