"""Changes of the archive, posted to the webhooks of the topic file: signed, in order, at least once.

signing.py     the secret of a webhook, and the signature of a message (Standard Webhooks)
posting.py     one request, and what its answer means
deliver.py     the changes behind the cursor of each webhook, and what happens after a refusal
message.py     a change as the message that is posted; which changes a webhook wants
"""
