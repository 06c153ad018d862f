"""The topic file: what is crawled, how politely, and what is on topic.

model.py         Topic and its parts, load_topic: the validated values
yaml_source.py   reads the YAML with the position of each key; `extends`
fields.py        the types of single values: a query, a press office, a duration, a URL
"""

from schemas.topic.model import (
    ExcludeRule,
    HostLimits,
    Limits,
    PhraseRule,
    PressList,
    Relevance,
    SearchApi,
    SearchPage,
    SectionList,
    Source,
    Team,
    Topic,
    Webhook,
    default_topic_path,
    load_topic,
)

__all__ = [
    "ExcludeRule",
    "HostLimits",
    "Limits",
    "PhraseRule",
    "PressList",
    "Relevance",
    "SearchApi",
    "SearchPage",
    "SectionList",
    "Source",
    "Team",
    "Topic",
    "Webhook",
    "default_topic_path",
    "load_topic",
]
