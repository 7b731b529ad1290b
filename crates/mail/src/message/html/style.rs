//! Inline styles (`style="…"`) that can neither load nor cover anything.

/// The declarations that are safe, or `None` when none is.
///
/// Properties are those of type, colour, spacing and borders; none positions, layers or animates. Values are words,
/// numbers and colours: nothing with a backslash, a URL or a negative length passes.
pub(super) fn safe(style: &str) -> Option<String> {
    let declarations = style.split(';').filter_map(|declaration| {
        let (property, value) = declaration.split_once(':')?;
        let property = property.trim().to_ascii_lowercase();
        let value = value.trim();
        (is_safe_property(&property) && is_safe_value(value))
            .then(|| format!("{property}: {value}"))
    });
    let safe = declarations.collect::<Vec<_>>().join("; ");
    (!safe.is_empty()).then_some(safe)
}

fn is_safe_property(property: &str) -> bool {
    const PROPERTIES: [&str; 26] = [
        "background-color",
        "border-collapse",
        "border-color",
        "border-radius",
        "border-spacing",
        "border-style",
        "border-width",
        "clear",
        "color",
        "direction",
        "float",
        "height",
        "letter-spacing",
        "line-height",
        "list-style-type",
        "max-width",
        "min-width",
        "table-layout",
        "vertical-align",
        "white-space",
        "width",
        "word-break",
        "word-spacing",
        "word-wrap",
        "overflow-wrap",
        "border",
    ];
    const FAMILIES: [&str; 4] = ["font-", "text-", "margin-", "padding-"];
    const SIDES: [&str; 4] = ["border-bottom", "border-left", "border-right", "border-top"];
    PROPERTIES.contains(&property)
        || matches!(
            property,
            "background" | "font" | "margin" | "padding" | "display"
        )
        || FAMILIES.iter().any(|family| property.starts_with(family))
        || SIDES.iter().any(|side| property.starts_with(side))
}

fn is_safe_value(value: &str) -> bool {
    let is_plain =
        |character: char| character.is_ascii_alphanumeric() || " #%.,-'\"()!/".contains(character);
    if value.is_empty() || value.len() > 200 || !value.chars().all(is_plain) {
        return false;
    }
    let has_negative = value
        .split([' ', ',', '('])
        .any(|word| word.starts_with('-') && word.len() > 1);
    !has_negative
        && functions(value).all(|name| matches!(name.as_str(), "rgb" | "rgba" | "hsl" | "hsla"))
}

/// The names before opening parentheses.
fn functions(value: &str) -> impl Iterator<Item = String> {
    let mut pieces: Vec<&str> = value.split('(').collect();
    pieces.pop();
    pieces.into_iter().map(|piece| {
        let name = piece
            .rsplit(|character: char| !character.is_ascii_alphanumeric() && character != '-')
            .next();
        name.unwrap_or_default().to_ascii_lowercase()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_what_is_only_looks() {
        for (style, expected) in [
            ("color:red", Some("color: red")),
            (
                "COLOR: #fff; font-family: 'Segoe UI', Arial",
                Some("color: #fff; font-family: 'Segoe UI', Arial"),
            ),
            (
                "margin: 0 auto !important",
                Some("margin: 0 auto !important"),
            ),
            ("color: rgba(1, 2, 3, .5)", Some("color: rgba(1, 2, 3, .5)")),
            ("display: none", Some("display: none")),
            ("position: fixed; top: 0; z-index: 9", None),
            ("background: url(https://x.example/)", None),
            ("background: u\\72l(x)", None),
            ("background-image: none; width: 1px", Some("width: 1px")),
            ("width: expression(alert(1))", None),
            ("width: calc(100% + 9px)", None),
            ("margin-left: -9999px", None),
            ("margin: 0 -1px", None),
            ("text-indent:-9px;color:blue", Some("color: blue")),
            ("color: red/*;*/", None),
            ("behavior: x; -moz-binding: y", None),
            ("", None),
        ] {
            assert_eq!(safe(style).as_deref(), expected, "{style}");
        }
    }
}
