"""Reports for people: of an archive, of a run, of an article.

facts.py           the content of a report, read from the readers' database and from the disk
markdown.py        the report as Markdown
run_summary.py     the receipt of a run for an operator
digest.py          the stories, edits and deletions of one day, as Markdown and as HTML for a mail
history.py         the revisions of an article, and a word diff of two of them
page_file.py       writes a page to a file
story.py           the articles of a story, and what each text has from an earlier one
language.py        the words in Korean and in English: gettext catalogues
templates.py       the settings of all templates
text.py            times, counts and sizes in words; Markdown around them
"""
