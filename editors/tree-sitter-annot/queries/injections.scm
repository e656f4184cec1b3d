; A template's text is Jinja. An escape divides it, so that a `{{ … }}` with an escape inside is not recognised.
((slot template: (text (text_content) @injection.content))
  (#set! injection.language "jinja"))

((regex_pattern) @injection.content
  (#set! injection.language "regex"))

((comment) @injection.content
  (#set! injection.language "comment"))
