#!/bin/sh
# Plays an E6000 on a real terminal: the forced command of a real sshd.
# It echoes a line when it reads it, as a device does, and not the terminal at once.
stty -echo
prompt='LAB-CCAP001(cer)#'
printf '### Authorised use only ###\n> disconnect now if you may not be here #\n\n%s' "$prompt"
while IFS= read -r line; do
    echo "$line"
    case "$line" in
    '' | 'terminal length 0' | 'terminal width 0') ;;
    'show interface cable-upstream')
        date
        cat <<'TABLE'

US          Cable     Oper  Chan   Freq Low-High   Center  Channel   Mini Mod  Pwr(dBmV/  LBal
S/CG/CH     Mac  Conn State Type    (MHz.KHz)      Freq(MHz) Width   Slot Prof  1.6 MHz)  Group
2/scq/0     127     -    IS atdma  55.600-62.000    58.800   6.400     2  364    -6.0     1073747968
2/scq/13    127     -    IS atdma  35.200-41.600    38.400   6.400     2   77    -6.0     1073743872, 1073750016
2/scq/14    127     -   OOS atdma  35.200-41.600    38.400   6.400     2   77    -6.0     1073743872, 1073750016
TABLE
        ;;
    'show running-config verbose | include modulation-profile')
        echo 'configure cable modulation-profile 77 iuc 1 mod qpsk pre-len 64'
        echo 'configure cable modulation-profile 77 iuc 10 mod qam16 pre-len 104'
        echo 'configure cable modulation-profile 364 iuc 10 mod qam64 pre-len 104'
        ;;
    exit) exit 0 ;;
    hang) sleep 1000 ;;
    *) echo "Error: unknown command '$line'" ;;
    esac
    printf '%s' "$prompt"
done
