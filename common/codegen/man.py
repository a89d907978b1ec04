#!/usr/bin/python3
"""Manual pages of the daemons, from what they say of themselves: man.py OUTDIR PROGRAM...

A daemon's --help has its usage, options, commands and every configuration key with type, range and default: the one table that its
parser uses. So the page cannot say otherwise than the program."""
import os
import subprocess
import sys


def roff(text):
    text = text.replace('\\', '\\e').replace('-', '\\-')
    return '\\&' + text if text.startswith(('.', "'")) else text


def page(program):
    name = os.path.basename(program)
    lines = subprocess.run([program, '--help'], capture_output=True, text=True, check=True).stdout.splitlines()
    version = subprocess.run([program, '--version'], capture_output=True, text=True, check=True).stdout.split()[-1]
    paragraphs = [p for p in '\n'.join(lines[1:lines.index('Configuration:')]).split('\n\n') if p.strip()]
    out = ['.TH %s 8 "" "Virga %s" "Virga manual"' % (name.upper(), version), '.SH NAME',
           '%s \\- %s' % (roff(name), roff(paragraphs[0].strip().rstrip('.'))), '.SH SYNOPSIS', roff(lines[0].replace('usage: ', '')),
           '.SH DESCRIPTION']
    for p in paragraphs[1:]:
        if p.lstrip().startswith('--') or p.startswith('Commands:'):
            out.append('.SH %s' % ('COMMANDS' if p.startswith('Commands:') else 'OPTIONS'))
            for line in p.splitlines():
                if line.startswith('  '):
                    words = line.strip().split('  ', 1)
                    out += ['.TP', '.B ' + roff(words[0]), roff(words[-1].strip())]
        else:
            out += ['.PP', roff(' '.join(p.split()))]
    out += ['.SH CONFIGURATION', 'The file that \\-\\-config names has sections and keys; \\fB%s \\-\\-sample\\-config\\fR writes one with all of them.' % roff(name)]
    for line in lines[lines.index('Configuration:') + 1:]:
        if line.startswith('      '):
            out.append(roff(line.strip()))
            if line.strip().startswith('Without it'):
                continue
        elif line.strip():
            key, _, kind = line.strip().partition(': ')
            out += ['.TP', '.B %s' % roff(key), '(%s)' % roff(kind), '.br']
    out += ['.SH SIGNALS', '.TP', '.B SIGTERM', 'Requests and steps in work are finished, then the daemon ends.', '.TP', '.B SIGHUP',
            'The log level, policy file and keys are read again.', '.SH SEE ALSO', '.BR virga (1)']
    return name, '\n'.join(out) + '\n'


def main():
    outdir = sys.argv[1]
    os.makedirs(outdir, exist_ok=True)
    for program in sys.argv[2:]:
        name, text = page(program)
        with open('%s/%s.8' % (outdir, name), 'w', encoding='utf-8') as file:
            file.write(text)


if __name__ == '__main__':
    main()
