# Turns the pages of docs/, which are written for GitHub, into articles of DocC:
#   awk -v out=FOLDER -f Tools/documentation_pages.awk stage=symbols SYMBOLS stage=headings PAGE… stage=pages PAGE…
# SYMBOLS has a line "MODULE TYPE" for each public type. Links between pages become links of DocC, with its anchors; links to other
# files of the repository become text; ``Type`` becomes a link to its module. Code is copied unchanged. A page that is named as a type of
# OnePass, whose address it would take, becomes "the-" and its name: method.md beside Method.
function page(path) { sub(/^.*\//, "", path); sub(/\.md$/, "", path); return path }
function article(path) { return path in taken ? "the-" path : path }
# The anchor that GitHub makes of a heading.
function slug(text) {
  text = tolower(text)
  gsub(/[^a-z0-9 _\200-\377-]/, "", text)
  gsub(/ /, "-", text)
  return text
}
# The anchor that DocC makes of it.
function fragment(text) {
  gsub(/[`*()?!,:;]/, "", text)
  gsub(/ /, "-", text)
  return text
}
function link(text, target, anchor, heading, path) {
  if (target ~ /^[a-z]+:/) return "[" text "](" target ")"
  anchor = ""
  if (target ~ /#/) { anchor = target; sub(/^[^#]*#/, "", anchor); sub(/#.*/, "", target) }
  path = target == "" ? current : page(target)
  if (target !~ /\// && path in pages) {
    heading = headings[path, anchor]
    return "[" text "](doc:" article(path) (anchor == "" ? "" : "#" fragment(heading)) ")"
  }
  sub(/^(\.\.\/)+/, "", target)
  return text == target ? "`" text "`" : text " (`" target "`)"
}
function convert(line, done, text, target, name, head) {
  done = ""
  while (match(line, /!?\[[^][]*\]\([^()]*\)/)) {
    done = done substr(line, 1, RSTART - 1)
    text = substr(line, RSTART, RLENGTH)
    line = substr(line, RSTART + RLENGTH)
    target = text
    sub(/^!?\[[^][]*\]\(/, "", target); sub(/\)$/, "", target)
    sub(/^!?\[/, "", text); sub(/\]\([^()]*\)$/, "", text)
    done = done link(text, target)
  }
  line = done line
  done = ""
  while (match(line, /``[A-Za-z][^`]*``/)) {
    name = substr(line, RSTART + 2, RLENGTH - 4)
    head = name
    sub(/[\/(].*/, "", head)
    done = done substr(line, 1, RSTART - 1) "``" (head in module && module[head] != "OnePass" ? "/" module[head] "/" : "") name "``"
    line = substr(line, RSTART + RLENGTH)
  }
  return done line
}
stage == "symbols" { module[$2] = $1; if ($1 == "OnePass") taken[tolower($2)] = 1; next }
FNR == 1 { fenced = 0; current = page(FILENAME); if (stage == "headings" && current != "README") pages[current] = 1 }
/^ *```/ { fenced = !fenced }
stage == "headings" {
  if (!fenced && /^#+ /) { text = $0; sub(/^#+ /, "", text); headings[current, slug(text)] = text }
  next
}
current != "README" { print (fenced || /^ *```/ ? $0 : convert($0)) > (out "/" article(current) ".md") }
