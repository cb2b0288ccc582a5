"""From an approved issue to finished mail: rendered once, cut per reader, addressed by joining bytes.

::

    IssueDocument → cleaned → Jinja2 → MJML → premailer → checked, minified → fragments   (pipeline, once an issue)
    fragments + Selection → Cut → Message                                (cut, message: once a reader, microseconds)
"""
