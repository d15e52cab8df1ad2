"""Asks every device of an inventory what ccap-fetch asks it, with netmiko: usage peer_netmiko.py INVENTORY THREADS."""
import json, os, sys
from concurrent.futures import ThreadPoolExecutor

from netmiko import ConnectHandler

COMMANDS = {
    "e6000": ["terminal length 0", "show interface cable-upstream", "show running-config verbose | include modulation-profile"],
    "casa": ["page-off", "show spectrum hop-history", "show modulation-profile", "show interface upstream"],
    "cbr8": ["terminal length 0", "show cable modulation-profile", "show cable modem summary"],
}


def ask(device):
    port = device.get("port", 22)
    session = ConnectHandler(
        device_type="generic", host=device["host"], port=port, username=os.environ["CCAP_USER"],
        password=os.environ["CCAP_PASSWORD"], conn_timeout=60, banner_timeout=60, auth_timeout=60,
    )
    if session.find_prompt().endswith(">"):
        session.send_command_timing("enable")
    for command in COMMANDS[device["platform"]]:
        text = session.send_command(command, read_timeout=120)
    if device["platform"] == "cbr8":
        domains = dict.fromkeys(word[1:].rsplit("/U", 1)[0] for word in text.split() if "/U" in word and word[0] == "C")
        for domain in domains:
            session.send_command(f"show controller c{domain} Upstream | i Profile|Upstream|US|up|UP", read_timeout=120)
    session.disconnect()


devices = [json.loads(line) for line in open(sys.argv[1]) if line.strip()]
with ThreadPoolExecutor(int(sys.argv[2])) as pool:
    list(pool.map(ask, devices))
