# The menu; each line is `cargo xtask …`, so nothing but cargo is needed.

# show this menu
default:
    @just --list

# from nothing to a mailbox in the browser
demo *arguments:
    cargo xtask demo -- {{arguments}}

# every test there is
test *arguments:
    cargo xtask test -- {{arguments}}

# the widget and the site into target/web/dist
web:
    cargo xtask web

# formatting, lints, licences
check:
    cargo xtask check

# benchmarks beside their baselines
bench *arguments:
    cargo xtask bench {{arguments}}

# the sandbox's parsers under libFuzzer
fuzz *arguments:
    cargo xtask fuzz {{arguments}}

# install what the commands need
setup:
    cargo xtask setup
