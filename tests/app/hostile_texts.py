"""Texts that break pages which are not careful; `window.__x` tells whether one of them was run."""

HOSTILE = {
    "template": "${window.__x=1}",
    "backticks": "`${window.__x=1}`",
    "handlebars": "{{7*7}} {{{constructor}}}",
    "image": "<img src=x onerror=window.__x=1>",
    "script": "</script><script>window.__x=1</script>",
    "right to left": "\u202eשלום עולם مرحبا",
    "zalgo": "h̸̢̛͍̤̗e̴̡̗͝l̷̰͐l̵̡͠o̸͎͝",
    "emoji": "👩🏽\u200d💻 🏳️\u200d🌈",
    "control characters": "a\x00\x07\x1b[31mb",
}
MEGABYTE = "a" * 1_000_000
