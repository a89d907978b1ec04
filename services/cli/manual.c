#include "manual.h"

const char manual_head[] =
    ".\\\" Made by \"virga help --man\"; tests/api/test_cli.py keeps the two alike.\n"
    ".TH VIRGA 1 \"\" \"Virga\" \"User Commands\"\n"
    ".SH NAME\nvirga \\- command line of a cloud\n"
    ".SH SYNOPSIS\n.B virga\n[\\fB\\-\\-os\\-cloud\\fR \\fIcloud\\fR] [\\fB\\-\\-debug\\fR] \\fIcommand\\fR [\\fIoptions\\fR]\n"
    ".SH DESCRIPTION\n"
    "Talks to the identity, image, placement, compute, network and block storage services of a Virga or OpenStack cloud. Commands, options, columns\n"
    "and field names are those of the\n.BR openstack (1)\nclient. Wherever an object is meant its name or its ID may stand; a name that several objects have is an error,\n"
    "which tells their IDs. Options may be shortened to a unique beginning.\n"
    ".SH \"WHICH CLOUD, AND AS WHOM\"\n"
    "A cloud named by\n.B \\-\\-os\\-cloud\nor\n.B OS_CLOUD\nis read from\n.IR clouds.yaml :\nthe first that is there of\n"
    ".BR $OS_CLIENT_CONFIG_FILE ,\n.IR ./clouds.yaml ,\n.I ~/.config/openstack/clouds.yaml\nand\n.IR /etc/openstack/clouds.yaml ,\n"
    "with the\n.I secure.yaml\nbeside it. If it has but one cloud and\n.B OS_AUTH_URL\nis not set, that one is taken. Without a cloud the variables\n"
    ".BR OS_AUTH_URL ,\n.BR OS_USERNAME ,\n.BR OS_PASSWORD ,\n.BR OS_PROJECT_NAME ,\n.BR OS_USER_DOMAIN_NAME ,\n.B OS_PROJECT_DOMAIN_NAME\n"
    "and so on hold; with one they do not. Options\n.BR \\-\\-os\\-auth\\-url ,\n.B \\-\\-os\\-username\nand so on come before either.\n"
    "Passwords, tokens and application credentials are understood, and project, domain and system scope.\n"
    "Certificates are always verified;\n.B \\-\\-os\\-cacert\nnames the authority of a private cloud.\n"
    ".SH TOKENS\n"
    "A token is kept with its catalogue in\n.I $XDG_CACHE_HOME/virga\n(\\fI~/.cache/virga\\fR), readable by its owner only, one for each identity, until it\n"
    "expires or a service refuses it. The password is no part of it: who has the token needs none. \\fBvirga token issue\\fR always asks for a new one.\n"
    ".SH OPTIONS\n";

const char manual_tail[] =
    ".SH \"EXIT STATUS\"\n.TP\n.B 0\nDone.\n.TP\n.B 1\nThe service refused, or could not be reached; its message and the request's ID are on standard error.\n"
    ".TP\n.B 2\nThe command line is wrong.\n"
    ".SH FILES\n.TP\n.I ~/.config/openstack/clouds.yaml\nClouds and who you are there.\n.TP\n.I ~/.cache/virga/\nTokens.\n"
    ".TP\n.I /run/virga/DAEMON/control.sock\nWhat \\fBvirga debug\\fR talks to; in a cloud made by \\fBmake up\\fR (VIRGA_RUN) run/control/DAEMON.sock.\n"
    ".SH EXAMPLES\n.nf\nvirga server list\nvirga server create \\-\\-image debian \\-\\-flavor small \\-\\-network lan \\-\\-wait web1\n"
    "virga server show web1 \\-f json\nvirga placement explain \\-\\-resource VCPU=4 \\-\\-resource MEMORY_MB=8192\nvirga debug compute show sagas\nsource <(virga complete)\n.fi\n"
    ".SH \"SEE ALSO\"\n.BR openstack (1)\n";
