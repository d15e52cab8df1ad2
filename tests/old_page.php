<?php
// Reads the JSON of a report as the page of the program that modtools replaces does: by the link to the latest one, every
// key by its name, and any notice is an error. Prints what the page would show.
set_error_handler(function ($code, $text) {
    fwrite(STDOUT, "PHP: $text\n");
    exit(1);
});
$dir = $argv[1];
$found = [];
foreach (glob("$dir/modulation_report_*_web.json") as $file) {
    if (preg_match('/modulation_report_(\d{4}-\d{2}-\d{2})_web\.json$/', $file, $match)) {
        $found[$match[1]] = $file;
    }
}
krsort($found);
$report = json_decode(file_get_contents("$dir/modulation_report_latest_web.json"), true, 512, JSON_THROW_ON_ERROR);
if (array_key_first($found) !== $report['report_date'] || !strtotime($report['generated_at'])) {
    trigger_error('the latest report is not the newest');
}
echo "{$report['report_date']}: {$report['total_upstreams']} upstreams, {$report['total_hops']} hops\n";
foreach ($report['full_data'] as $row) {
    echo implode(' ', [$row['cmts'], $row['upstream'], $row['hops'], $row['qam64_pct'], $row['qam16_pct'],
        $row['qpsk_pct'], $row['measurements'], $row['device_type']]), "\n";
}
foreach ($report['summary']['by_device_type'] as $type) {
    echo implode(' ', [$type['device_type'], $type['total_upstreams'], $type['total_hops'], $type['avg_qam64_pct']]), "\n";
}
$all = $report['summary']['modulation_distribution'];
echo implode(' ', [$all['overall_qam64_pct'], $all['overall_qam16_pct'], $all['overall_qpsk_pct'],
    $all['total_measurements']]), "\n";
