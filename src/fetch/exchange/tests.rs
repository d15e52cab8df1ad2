//! The exchange, case by case.

use super::*;

const LONG: Duration = Duration::from_secs(10);
const MOMENT: Duration = ms(1);

fn login() -> Exchange {
    Exchange::login(Duration::from_secs(60))
}

/// A session whose device echoes, at the prompt `HOST#`.
fn session() -> Exchange {
    let mut exchange = login();
    exchange.received(b"\r\nHOST#", MOMENT);
    assert_eq!(exchange.step(LONG), Step::Done);
    let mut exchange = exchange.pair("page-off", "page-off");
    exchange.received(b"page-off\r\nHOST#page-off\r\nHOST#", MOMENT);
    assert_eq!(exchange.step(SETTLE.0), Step::Done);
    assert!(exchange.echoed());
    exchange
}

/// Feeds packets with a moment between them; what is typed is answered by the next of `answers`, and silence
/// follows the last packet. Returns what was typed.
fn play(exchange: &mut Exchange, packets: &[&str], answers: &[&str]) -> Vec<&'static [u8]> {
    let (mut typed, mut answers) = (Vec::new(), answers.iter());
    for (at, packet) in packets.iter().enumerate() {
        exchange.received(packet.as_bytes(), MOMENT);
        let quiet = if at + 1 == packets.len() { LONG } else { MOMENT };
        while let Step::Type(keys) = exchange.step(quiet) {
            typed.push(keys);
            match answers.next() {
                Some(answer) => exchange.received(answer.as_bytes(), MOMENT),
                None => break,
            }
        }
    }
    typed
}

#[track_caller]
fn done(exchange: &mut Exchange) {
    assert_eq!(exchange.step(LONG), Step::Done, "{:?}", String::from_utf8_lossy(&exchange.raw));
}

#[test]
fn the_first_command_proves_the_prompt_behind_a_banner_full_of_prompt_characters() {
    let banner = "### welcome > to #\r\n# access > only #\r\n>>>\r\n\r\n5#-lab cmts*1(a/b)#";
    let mut exchange = login();
    assert!(play(&mut exchange, &["##", banner, " "], &[]).is_empty());
    done(&mut exchange);
    let mut exchange = exchange.command("terminal length 0");
    exchange.received(b"terminal length 0\r\n5#-lab cmts*1(a/b)# ", MOMENT);
    done(&mut exchange);
    assert!(exchange.echoed());
    assert_eq!(exchange.learned.prompt, "5#-lab cmts*1(a/b)#");
}

#[test]
fn a_banner_line_that_looks_like_a_prompt_is_not_one() {
    let mut exchange = login();
    exchange.received(b"authorised users only#", MOMENT);
    done(&mut exchange);
    let mut exchange = exchange.command("page-off");
    let packets = [" and more of the banner\r\nHOST>", "page-off\r\n", "HOST>"];
    assert!(play(&mut exchange, &packets, &[]).is_empty());
    done(&mut exchange);
    assert_eq!((exchange.learned.prompt.as_str(), exchange.answer().as_str()), ("HOST>", ""));
}

#[test]
fn an_answer_ends_at_the_known_prompt_however_it_is_cut() {
    let mut exchange = session().command("show x");
    for bit in ["show x\r\n", "a HOST# b\r\nHO", "ST", "#"] {
        assert_ne!(exchange.step(LONG), Step::Done);
        exchange.received(bit.as_bytes(), MOMENT);
    }
    assert!(matches!(exchange.step(Duration::ZERO), Step::Wait(_)));
    done(&mut exchange);
    assert_eq!(exchange.answer(), "a HOST# b\n");
}

#[test]
fn echoes_wrapped_or_drawn_again_are_known() {
    let history = "show spectrum hop-history";
    for (sent, late) in [
        ("show  spectrum hop-hi\r\nstory\r\n1/1.1/0\r\nHOST#", ""),
        ("show spectrum hop-hi \rstory\r\r\n1/1.1/0\r\r\n HOST# ", ""),
        ("show spectrum hop-hi\ristory\r\n\u{1b}[?2004l\r1/1.1/0\r\n\u{1b}[?2004hHOST#", ""),
        (
            "show spectrum\u{8}\u{8}\u{8}\u{8}\u{8}\u{8}\u{8}\u{8}\u{8}\u{8}\u{8}\u{8}\u{8}$pectrum hop-history\r\n1/1.1/0\r\nHOST#",
            "",
        ),
        ("show spectrum hop-h$\r\n1/1.1/0\r\nHOST#", ""),
        ("show \u{1b}[1mspectrum\u{1b}[0m hop-history\r\n1/1.1/0\r\n\u{1b}[1mHOST#\u{1b}[0m", ""),
        ("\r\nlog\r\nHOST#show spectrum hop-history\r\n1/1.1/0\r\nHOST#", "log\n"),
        ("log\r\n\r\nshow spectrum hop-history\r\n1/1.1/0\r\nHOST#", "log\n"),
        ("show spec\r\nlog\r\nHOST#show spectrum hop-history\r\n1/1.1/0\r\nHOST#", "show spec\nlog\n"),
        ("\r\nHOST#\r\nHOST#show spectrum hop-history\r\n1/1.1/0\r\nHOST#", ""),
        // A terminal that echoes while the device is busy: the second echo is the one behind the prompt.
        (
            "show spectrum hop-history\r\nrow\r\nHOST#show spectrum hop-history\r\n1/1.1/0\r\nHOST#",
            "show spectrum hop-history\nrow\n",
        ),
        (
            "show spectrum hop-history\r\nrow\r\nHOST#show spectrum hop\rp-history\r\n1/1.1/0\r\nHOST#",
            "show spectrum hop-history\nrow\n",
        ),
    ] {
        let mut exchange = session().command(history);
        assert!(play(&mut exchange, &[sent], &[]).is_empty(), "{sent:?}");
        done(&mut exchange);
        let found = (exchange.answer(), exchange.late());
        assert_eq!(found, ("1/1.1/0\n".to_owned(), Some(late.to_owned())), "{sent:?}");
    }
}

#[test]
fn the_rest_of_an_answer_comes_before_the_next_echo() {
    let mut exchange = session().command("show x");
    exchange.received(b"show x\r\na\r\nlog\r\nHOST#", MOMENT);
    done(&mut exchange);
    assert_eq!(exchange.answer(), "a\nlog\n");
    let mut exchange = exchange.command("show y");
    exchange.received(b"b\r\nHOST#", MOMENT);
    assert_ne!(exchange.step(SETTLE.1), Step::Done, "its echo has not come");
    exchange.received(b"show y\r\nc\r\nHOST#", MOMENT);
    done(&mut exchange);
    assert_eq!((exchange.late().as_deref(), exchange.answer().as_str()), (Some("b\n"), "c\n"));
}

#[test]
fn an_answer_without_its_own_echo_is_not_one() {
    let mut exchange = session().command("show x");
    let typed = play(&mut exchange, &["show y\r\na\r\nHOST#"], &["\r\nHOST#"]);
    assert_eq!((typed, exchange.step(LONG)), (vec![&b"\n"[..]], Step::Stuck(Stuck::NoEcho)));
    assert_eq!(exchange.late(), None, "the answer before may go on here");
}

#[test]
fn a_device_that_does_not_echo_must_prove_that_it_is_idle() {
    for end in ["\r\n", ""] {
        let prompt = format!("{end}HOST#");
        let mut exchange = login();
        exchange.received(b"HOST#", MOMENT);
        done(&mut exchange);
        for (command, output) in [("terminal length 0", ""), ("show x", "a\n")] {
            exchange = exchange.command(command);
            let sent = format!("{end}{}HOST#", output.replace('\n', "\r\n"));
            assert_eq!(play(&mut exchange, &[&sent], &[&prompt]), [b"\n"]);
            done(&mut exchange);
            assert!(!exchange.echoed());
            assert_eq!(exchange.answer().trim(), output.trim());
        }
        // A prompt that was drawn again in the middle of the output.
        exchange = exchange.command("show y");
        let rest = format!("b\r\nHOST#{prompt}");
        assert_eq!(play(&mut exchange, &["a\r\nHOST#"], &[&rest, &prompt]), [b"\n", b"\n"]);
        done(&mut exchange);
        assert_eq!(exchange.answer().replace("HOST#", ""), "a\nb\n");
    }
}

#[test]
fn two_commands_typed_at_once_show_when_a_device_echoes() {
    let (ahead, last) = ("terminal length 0", "terminal width 0");
    for (sent, in_turn, late) in [
        ("terminal length 0\r\nHOST#terminal width 0\r\nHOST#", true, Some("")),
        ("terminal le\r\nngth 0\r\n% Bad\r\nHOST#terminal width 0\r\nHOST#", true, Some("% Bad\n")),
        ("terminal length 0\r\nterminal width 0\r\n% Bad\r\nHOST#HOST#", false, Some("")),
        ("terminal length 0\r\nHOST#", true, None),
        ("terminal length 0\r\nterm\r\nlog\r\ninal width 0\r\nHOST#HOST#", false, None),
        ("terminal le\r\nlog\r\nHOST#ngth 0\r\nHOST#terminal width 0\r\nHOST#", false, Some("")),
        ("\r\nHOST#\r\nHOST#", false, Some("")),
    ] {
        let mut exchange = login();
        exchange.received(b"HOST#", MOMENT);
        done(&mut exchange);
        let mut exchange = exchange.pair(ahead, last);
        play(&mut exchange, &[sent], &["\r\nHOST#"]);
        done(&mut exchange);
        assert_eq!(exchange.late().as_deref(), late, "{sent:?}");
        let mut exchange = exchange.command("show x");
        let typed = play(&mut exchange, &["show x\r\na\r\nHOST#"], &["\r\nHOST#"]);
        done(&mut exchange);
        assert_eq!(
            (exchange.echoed(), typed.is_empty(), exchange.answer().as_str()),
            (in_turn, in_turn, "a\n")
        );
    }
}

#[test]
fn where_characters_are_echoed_at_once_a_prompt_behind_them_ends_no_answer() {
    let mut exchange = login();
    exchange.received(b"HOST#", MOMENT);
    done(&mut exchange);
    let mut exchange = exchange.pair("page-off", "page-off");
    play(&mut exchange, &["page-off\r\npage-off\r\nHOST#HOST#"], &["\r\nHOST#"]);
    done(&mut exchange);
    let mut exchange = exchange.command("show x");
    let answers = ["\r\nb\r\nHOST#HOST#", "\r\nHOST#"];
    let typed = play(&mut exchange, &["show x\r\na\r\nlog\r\nHOST#"], &answers);
    done(&mut exchange);
    assert_eq!((typed, exchange.answer().as_str()), (vec![&b"\n"[..]; 2], "a\nlog\nb\n"));
}

#[test]
fn pagers_are_answered_and_leave_no_trace() {
    let back = "\u{8}".repeat(10);
    let erased = format!("{back}{}{back}b\r\n:", " ".repeat(10));
    let mut exchange = session().command("show x");
    let typed = play(
        &mut exchange,
        &["show x\r\na\r\n --More-- "],
        &[
            &erased,
            "\r \rc\r\n<--- More --->",
            "\r              \rd\r\n--More--(35%)",
            "\r             \re\r\n--More-- or (q)uit",
            "\r                  \rf\r\nHOST#",
        ],
    );
    assert_eq!(typed, [b" "; 5]);
    done(&mut exchange);
    assert_eq!(exchange.answer(), "a\nb\nc\nd\ne\nf\n");
}

#[test]
fn a_pager_that_never_ends_is_answered_a_few_times_only() {
    let mut exchange = session().command("show x");
    exchange.received(b"show x\r\n", MOMENT);
    let mut keys = 0;
    for _ in 0..1000 {
        exchange.received(b"--More--", MOMENT);
        keys += usize::from(matches!(exchange.step(LONG), Step::Type(_)));
    }
    assert!(keys < 50, "{keys}");
    assert!(exchange.last_words().is_some_and(|line| line.starts_with("--More--")));
}

#[test]
fn a_pager_behind_a_prompt_under_proof_is_no_panic() {
    let mut exchange = login();
    exchange.received(b"HOST#", MOMENT);
    done(&mut exchange);
    let mut exchange = exchange.command("terminal length 0");
    let typed = play(&mut exchange, &["\r\nHOST#"], &["press any key", "\r\nHOST#\r\nHOST#"]);
    assert_eq!(typed, [&b"\n"[..], b" "]);
    done(&mut exchange);
}

#[test]
fn a_row_that_begins_with_a_dash_is_waited_for() {
    let mut exchange = session().command("show x");
    exchange.received(b"show x\r\n- north-more-", MOMENT);
    assert!(matches!(exchange.step(ms(500)), Step::Wait(_)));
    exchange.received(b"land\r\nHOST#", MOMENT);
    done(&mut exchange);
    assert_eq!(exchange.answer(), "- north-more-land\n");
}

#[test]
fn a_prompt_that_changes_is_proven_and_a_stalled_line_is_not_taken_for_one() {
    let mut exchange = session().command("show x");
    let typed = play(&mut exchange, &["show x\r\na\r\nHOST(diag)#"], &["\r\nHOST(diag)#"]);
    done(&mut exchange);
    assert_eq!(
        (exchange.prompt().as_str(), exchange.answer().as_str(), typed.len()),
        ("HOST(diag)#", "a\n", 1)
    );
    let mut exchange = session().command("show x");
    let typed = play(&mut exchange, &["show x\r\nport#"], &["7 up\r\nb\r\nHOST#\r\nHOST#"]);
    assert_eq!((typed.len(), exchange.step(SETTLE.1)), (1, Step::Wait(IDLE - SETTLE.1)));
    done(&mut exchange);
    assert_eq!(exchange.answer(), "port#7 up\nb\n");
}

#[test]
fn a_log_message_behind_the_prompt_costs_one_empty_line() {
    for log in ["\r\n*Nov 28: %LINK-3-UPDOWN: x\r\n\r\n", "*Nov 28: %LINK-3-UPDOWN: x"] {
        let mut exchange = session().command("show x");
        let typed = play(&mut exchange, &["show x\r\na\r\nHOST#", log], &["\r\nHOST#"]);
        assert_eq!(typed, [b"\n"], "{log:?}");
        done(&mut exchange);
        assert!(exchange.answer().starts_with("a\n"));
    }
    // A device that is only slow is left alone.
    let mut exchange = session().command("show x");
    assert!(play(&mut exchange, &["show x\r\na\r\n"], &[]).is_empty());
}

#[test]
fn a_login_inside_the_shell_and_an_expired_password_are_told_apart() {
    for (sent, stuck) in [
        ("\r\n\r\nUser Name:", Stuck::SecondLogin),
        ("Password: ", Stuck::SecondLogin),
        ("Your password has expired.\r\nPassword: ", Stuck::PasswordExpired),
        ("(current) UNIX password: ", Stuck::PasswordExpired),
    ] {
        let mut exchange = login();
        assert!(play(&mut exchange, &[sent], &[]).is_empty(), "nothing is typed at a question");
        assert_eq!(exchange.step(LONG), Step::Stuck(stuck), "{sent}");
    }
    let mut exchange = login();
    assert!(play(&mut exchange, &["Accept?\r\n(Press 'a' to accept):"], &[]).is_empty());
    assert_eq!(exchange.last_words().as_deref(), Some("(Press 'a' to accept):"));
}

#[test]
fn enable_ends_at_its_question_and_its_password_is_not_quoted() {
    let mut exchange = login();
    exchange.received(b"H>", MOMENT);
    done(&mut exchange);
    let mut exchange = exchange.enable("H#");
    exchange.received(b"enable\r\nPassword: ", MOMENT);
    done(&mut exchange);
    assert!(exchange.asked_password());
    let mut exchange = exchange.password();
    exchange.received(b"secret", MOMENT);
    assert_eq!(exchange.last_words(), None);
    exchange.received(b"\r\nH#", MOMENT);
    done(&mut exchange);
    assert_eq!(exchange.prompt(), "H#");
    let mut exchange = exchange.command("show x");
    exchange.received(b"show x\r\na\r\nH#", MOMENT);
    done(&mut exchange);
    assert_eq!(exchange.answer(), "a\n");
}

#[test]
fn silence_alone_never_ends_an_answer() {
    for sent in ["show x\r\nrow 1\r\nrow", "show x\r\n", "HOST", "show x\r\nrow HOST", "show x\r\nPassword:"]
    {
        let mut exchange = session().command("show x");
        play(&mut exchange, &[sent], &["", "", "", ""]);
        assert!(matches!(exchange.step(LONG), Step::Wait(_)), "{sent}");
    }
}

#[test]
fn what_is_typed_has_a_limit() {
    let mut exchange = session().command("show x");
    exchange.received(b"show x\r\n", MOMENT);
    let mut typed = 0;
    for n in 0..1000 {
        exchange.received(format!("row {n}#").as_bytes(), LONG);
        typed += u32::from(matches!(exchange.step(LONG), Step::Type(_)));
        exchange.received(b"\r\n", LONG);
    }
    assert!(typed <= MOST_LINES, "{typed}");
}

#[test]
fn a_reaction_to_the_proof_that_never_ends_costs_linear_time() {
    let mut exchange = session().command("show x");
    exchange.received(b"show x\r\nXYZ#", MOMENT);
    assert_eq!(exchange.step(LONG), Step::Type(b"\n"));
    let blanks = [b' '; 16 << 10];
    let began = std::time::Instant::now();
    for _ in 0..2048 {
        exchange.received(&blanks, MOMENT);
        assert!(matches!(exchange.step(MOMENT), Step::Wait(_)));
    }
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
}
